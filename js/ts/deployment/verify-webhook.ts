import { SillokError } from "../store/errors.js";
import type { NewEvent, Stored } from "../store/events.js";
import { invalid } from "../store/invalid.js";
import { checkOptions } from "../store/options.js";

/** A message of a webhook: the headers and the body, as a `Request` of the platform has them. */
export interface WebhookRequest {
  /** The headers of the request. */
  readonly headers: { get(name: string): string | null };
  /** Returns the body, unchanged. */
  text(): Promise<string>;
}

/** Options of {@link verifyWebhook}. */
export interface VerifyWebhookOptions {
  /** The longest difference between the time of the message and this clock, in seconds: 1 to a day. Default: 300. */
  readonly tolerance?: number | undefined;
}

/** An event that a webhook or a queue has sent. */
export type SentEvent<E extends NewEvent = NewEvent> = E extends NewEvent
  ? {
      /** The type of the event. */
      readonly type: E["type"];
      /** The data of the event. */
      readonly data: Stored<E["data"]>;
      /** The stream of the event. */
      readonly stream: string;
      /** The place of the event in its stream. */
      readonly version: number;
      /** The id of the event in its stream. */
      readonly id: string;
      /** The recorded time, as RFC 3339 in UTC. */
      readonly time: string;
      /** The place of the event among the events of all streams; on a server, of its partition. */
      readonly position: number;
      /** The ids of the event's metadata, where they are texts. Other metadata are not sent. */
      readonly metadata: { readonly correlationId?: string; readonly causationId?: string };
    }
  : never;

/** A verified message of a webhook. */
export interface VerifiedWebhook<E extends NewEvent = NewEvent> {
  /** The id of the message: the same for every attempt at this event. Ignore a message whose id you have handled. */
  readonly id: string;
  /** The event. */
  readonly event: SentEvent<E>;
}

const OPTIONS = ["tolerance"] as const satisfies (keyof VerifyWebhookOptions)[];
const SHA256 = { name: "HMAC", hash: "SHA-256" };
const SECRET = /^whsec_([A-Za-z0-9+/]+={0,2})$/;
const VERSION = "v1,";
const TOLERANCE_SECONDS = 300;
const DAY = 24 * 60 * 60;
const STREAMS = "/v1/streams/";

/**
 * Checks a message of a webhook: its signature, as the Standard Webhooks specification says, and its time. It needs no engine
 * and runs in Node, Workers, Deno and Bun. The signature is compared in constant time.
 *
 * @param request - The request that your receiver has got. Nobody may have read its body.
 * @param secret - The secret of the webhook: `whsec_` and then base64. While you change the secret, pass both in an array.
 * @param options - How old a message may be.
 * @returns The event, and the id of the message.
 * @throws {@link SillokError} `invalid_signature` if the message is not from this webhook, was changed, or is too old: answer
 * with 401. `invalid_event` if the message is signed, but has no event of Sillok: answer with 400. `invalid_parameter` for a
 * wrong secret or option.
 *
 * @example
 * ```ts
 * import { isSillokError, verifyWebhook } from "sillok";
 *
 * type Placed = { type: "Placed"; data: { total: number } };
 *
 * async function receive(request: Request, secret: string): Promise<Response> {
 *   try {
 *     const { id, event } = await verifyWebhook<Placed>(request, secret);
 *     console.log(id, event.stream, event.data.total);
 *     return new Response(null, { status: 204 });
 *   } catch (error) {
 *     if (!isSillokError(error) || error.code !== "invalid_signature") throw error;
 *     return new Response(error.message, { status: 401 });
 *   }
 * }
 * const forged = new Request("https://shop.example/hook", { method: "POST", body: "{}" });
 * console.log((await receive(forged, "whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw")).status); // 401
 * ```
 */
export async function verifyWebhook<E extends NewEvent = NewEvent>(
  request: WebhookRequest,
  secret: string | readonly string[],
  options: VerifyWebhookOptions = {},
): Promise<VerifiedWebhook<E>> {
  checkOptions(options, OPTIONS);
  const { tolerance = TOLERANCE_SECONDS } = options;
  if (!(tolerance >= 1 && tolerance <= DAY)) {
    throw invalid("tolerance", `must be a number of seconds from 1 to ${DAY}`);
  }
  const keys = await Promise.all([secret].flat().map(keyOf));
  if (keys.length === 0) throw invalid("secret", "must have one secret or more");
  const id = headerOf(request, "webhook-id");
  const timestamp = headerOf(request, "webhook-timestamp");
  const signatures = headerOf(request, "webhook-signature");
  const age = Math.abs(Date.now() / 1000 - Number(timestamp));
  if (!/^\d+$/.test(timestamp) || age > tolerance) {
    const detail = `the time of the message is not within ${tolerance} seconds of this clock`;
    throw refused("webhook-timestamp", detail);
  }
  const body = await request.text();
  const content = Uint8Array.from(new TextEncoder().encode(`${id}.${timestamp}.${body}`));
  if (!(await isSigned(keys, signatures, content))) {
    throw refused("webhook-signature", "no signature of the message is one of this secret");
  }
  return { id, event: eventOf<E>(body) };
}

async function keyOf(secret: unknown): Promise<CryptoKey> {
  const [, text] = (typeof secret === "string" && SECRET.exec(secret)) || [];
  const bytes = text === undefined ? undefined : bytesOf(text);
  if (bytes === undefined) throw invalid("secret", "must be `whsec_` and then base64");
  return crypto.subtle.importKey("raw", bytes, SHA256, false, ["verify"]);
}

function headerOf({ headers }: WebhookRequest, name: string): string {
  const value = headers.get(name);
  if (value === null || value === "") throw refused(name, `the header \`${name}\` is missing`);
  return value;
}

/** Whether one of the signatures is by one of the keys. `verify` of the platform takes the same time for each wrong one. */
async function isSigned(
  keys: readonly CryptoKey[],
  signatures: string,
  content: Uint8Array<ArrayBuffer>,
): Promise<boolean> {
  for (const signature of signatures.split(" ")) {
    if (!signature.startsWith(VERSION)) continue;
    const bytes = bytesOf(signature.slice(VERSION.length));
    if (bytes === undefined) continue;
    for (const key of keys) {
      if (await crypto.subtle.verify("HMAC", key, bytes, content)) return true;
    }
  }
  return false;
}

/** The bytes of a text in base64; undefined if the text is not base64. */
function bytesOf(text: string): Uint8Array<ArrayBuffer> | undefined {
  try {
    return Uint8Array.from(atob(text), (character) => character.charCodeAt(0));
  } catch {
    return undefined;
  }
}

/** Reads the CloudEvent of a webhook or a queue. */
function eventOf<E extends NewEvent>(body: string): SentEvent<E> {
  try {
    const { source, type, time, data, eventid, correlationid, causationid, ...numbers } =
      JSON.parse(body) as Record<string, any>;
    if (!String(source).startsWith(STREAMS)) throw new TypeError("the source is not a stream");
    const event = {
      stream: decodeURIComponent(source.slice(STREAMS.length)),
      version: Number(numbers.streamversion),
      id: eventid,
      type,
      time,
      data,
      position: Number(numbers.sequence),
      metadata: {
        ...(correlationid === undefined ? {} : { correlationId: correlationid }),
        ...(causationid === undefined ? {} : { causationId: causationid }),
      },
    };
    const isWhole = [event.id, type, time].every((text) => typeof text === "string");
    if (isWhole && event.version >= 1 && event.position >= 1) return event as SentEvent<E>;
    throw new TypeError("a part of the event is missing");
  } catch (cause) {
    const detail = "the message is signed, but it is not a CloudEvent of Sillok";
    throw new SillokError({ code: "invalid_event", detail, field: "body" }, { cause });
  }
}

function refused(field: string, detail: string): SillokError {
  return new SillokError({ code: "invalid_signature", detail, field });
}
