/** JSON Web Tokens, as a caller of the HTTP API makes them. */

import { createHmac } from "node:crypto";

/** A token with these claims, signed with the secret by HS256. */
export function sign(
  claims: unknown,
  secret: string,
  header: Record<string, unknown> = {},
): string {
  const text = typeof claims === "string" ? claims : JSON.stringify(claims);
  return signText(text, secret, { alg: "HS256", typ: "JWT", ...header });
}

/** The time in this number of seconds, in seconds since 1970. */
export function secondsFromNow(seconds: number): number {
  return Math.floor(Date.now() / 1000) + seconds;
}

function signText(claims: string, secret: string, header: Record<string, unknown>): string {
  const signed = `${encode(JSON.stringify(header))}.${encode(claims)}`;
  return `${signed}.${createHmac("sha256", secret).update(signed).digest("base64url")}`;
}

function encode(text: string): string {
  return Buffer.from(text).toString("base64url");
}
