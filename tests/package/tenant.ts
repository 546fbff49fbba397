// Tokens that the tests make themselves, also in a page and in a Worker.

const encoder = new TextEncoder();

/** A token for a name space that no other test uses. */
export async function freshToken(secret: string): Promise<string> {
  const claims = { scope: "admin", tenant: crypto.randomUUID() };
  const signed = `${encoded('{"alg":"HS256","typ":"JWT"}')}.${encoded(JSON.stringify(claims))}`;
  const algorithm = { name: "HMAC", hash: "SHA-256" };
  const bytes = encoder.encode(secret);
  const key = await crypto.subtle.importKey("raw", bytes, algorithm, false, ["sign"]);
  const signature = await crypto.subtle.sign("HMAC", key, encoder.encode(signed));
  return `${signed}.${encoded(String.fromCharCode(...new Uint8Array(signature)))}`;
}

/** Base64url of a text of bytes. */
function encoded(text: string): string {
  return btoa(text).replaceAll("+", "-").replaceAll("/", "_").replaceAll("=", "");
}
