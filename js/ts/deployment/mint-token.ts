import { invalid } from "../store/invalid.js";
import { isName } from "../store/names.js";
import { checkOptions } from "../store/options.js";

/** A right of a token. `docs/http.md` lists the requests that each scope allows. */
export type Scope = "read" | "append" | "execute" | "admin";

/** Options of {@link mintToken}. */
export interface MintTokenOptions {
  /** The secret of the deployment, `SILLOK_SECRET`: at least 32 bytes. It is used as it is, also if it looks like base64. */
  readonly secret: string;
  /** The rights of the token: at least one. */
  readonly scopes: readonly Scope[];
  /**
   * The only streams of the token: at least one glob, such as `account-42` or `account-*`. Such a token may not use consumers
   * and documents. Default: all streams.
   */
  readonly streams?: readonly string[] | undefined;
  /** The tenant whose data the token is for: 1 to 200 bytes without control characters. Default: the default tenant. */
  readonly tenant?: string | undefined;
  /**
   * The number of seconds until the token expires: at least 1. Default: one hour. `Infinity` makes a token without an end. You
   * can withdraw such a token only by a change of the secret.
   */
  readonly expiresIn?: number | undefined;
}

const OPTIONS = [
  "secret",
  "scopes",
  "streams",
  "tenant",
  "expiresIn",
] as const satisfies (keyof MintTokenOptions)[];
const SCOPES: readonly unknown[] = ["read", "append", "execute", "admin"] satisfies Scope[];
const SECRET_BYTES = 32;
const TENANT_BYTES = 200;
const HOUR = 3600;
/** The longest time until a token with an end expires, in seconds: a thousand years. */
const LONGEST = 1000 * 365 * 24 * HOUR;
const HS256 = { name: "HMAC", hash: "SHA-256" };

/**
 * Makes a token for a deployed Sillok: a JSON Web Token with HS256. Call it where the secret is, on a server or in a Worker,
 * never in a page.
 *
 * @param options - The secret, and the rights of the token.
 * @returns The token, for the header `Authorization: Bearer …` or the option `token` of `connect`.
 * @throws {@link SillokError} `invalid_parameter`, whose `field` names the wrong option. An unknown option is refused, so a
 * misspelt limit cannot be lost.
 *
 * @example
 * ```ts
 * import { mintToken } from "sillok";
 *
 * const token = await mintToken({
 *   secret: "a secret of 32 random bytes or more",
 *   scopes: ["read", "execute"],
 *   tenant: "shop",
 *   expiresIn: 15 * 60,
 * });
 * console.log(token.split(".").length); // 3
 * ```
 */
export async function mintToken(options: MintTokenOptions): Promise<string> {
  checkOptions(options, OPTIONS);
  const { secret, scopes, streams, tenant, expiresIn = HOUR } = options;
  const bytes = new TextEncoder();
  if (typeof secret !== "string" || bytes.encode(secret).length < SECRET_BYTES) {
    throw invalid("secret", `must be a string of at least ${SECRET_BYTES} bytes`);
  }
  if (!isFilled(scopes) || !scopes.every((scope) => SCOPES.includes(scope))) {
    throw invalid("scopes", `must be an array with one or more of \`${SCOPES.join("`, `")}\``);
  }
  if (streams !== undefined && (!isFilled(streams) || !streams.every(isGlob))) {
    throw invalid("streams", "must be an array of one or more globs, such as `account-*`");
  }
  if (tenant !== undefined && !isName(tenant, TENANT_BYTES)) {
    throw invalid("tenant", `must be 1 to ${TENANT_BYTES} bytes without control characters`);
  }
  if (expiresIn !== Infinity && !(Number.isFinite(expiresIn) && expiresIn >= 1)) {
    throw invalid("expiresIn", "must be a number of seconds from 1, or `Infinity`");
  }
  if (expiresIn !== Infinity && expiresIn > LONGEST) {
    throw invalid("expiresIn", `must be at most ${LONGEST} seconds, or \`Infinity\``);
  }
  const exp = expiresIn === Infinity ? undefined : Math.floor(Date.now() / 1000 + expiresIn);
  const claims = { scope: scopes.join(" "), streams, tenant, exp };
  const content = `${part({ alg: "HS256", typ: "JWT" })}.${part(claims)}`;
  const key = await crypto.subtle.importKey("raw", bytes.encode(secret), HS256, false, ["sign"]);
  const signature = await crypto.subtle.sign("HMAC", key, bytes.encode(content));
  return `${content}.${base64url(new Uint8Array(signature))}`;
}

function isFilled(list: unknown): list is readonly unknown[] {
  return Array.isArray(list) && list.length > 0;
}

function isGlob(glob: unknown): boolean {
  return typeof glob === "string" && glob !== "" && glob.isWellFormed();
}

function part(value: object): string {
  return base64url(new TextEncoder().encode(JSON.stringify(value)));
}

function base64url(bytes: Uint8Array): string {
  const text = btoa(Array.from(bytes, (byte) => String.fromCharCode(byte)).join(""));
  return text.replaceAll("+", "-").replaceAll("/", "_").replaceAll("=", "");
}
