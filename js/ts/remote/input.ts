// Writes the arguments of a caller into HTTP requests. It refuses only arguments that HTTP cannot carry, or would change. The
// server checks everything else.

import { SillokError, type SillokErrorCode } from "../store/errors.js";
import { invalid } from "../store/invalid.js";
import {
  CHECKPOINT_CHARACTERS,
  EVENT_TYPE_BYTES,
  IDEMPOTENCY_KEY_BYTES,
  STREAM_ID_BYTES,
} from "../store/limits.js";
import { checkOptions, type ReadOptions } from "../store/options.js";
import type { WantedDirectory, WantedFeed } from "../store/wanted.js";

const RANGE_OPTIONS = [
  "from",
  "to",
  "limit",
  "direction",
  "type",
] as const satisfies (keyof ReadOptions)[];

/** A range that HTTP can carry. */
export type SentRange = Pick<ReadOptions, (typeof RANGE_OPTIONS)[number]> & {
  /** Set after the first answer: the stream must still have the events of the range. */
  readonly complete?: "true";
};

/** Parameters of an answer with a line for each event. */
interface LinesWanted {
  readonly limit?: number | undefined;
  /** Asks for lines with the progress of the server where it finds no events. */
  readonly progress?: "true";
}

/** The path of a stream. */
export function streamPath(stream: unknown): string {
  const segment = encoded("invalid_stream_id", "stream", stream, STREAM_ID_BYTES);
  if (segment !== "." && segment !== "..") return `streams/${segment}`;
  throw refused("invalid_stream_id", "stream", "cannot be sent over HTTP as this name");
}

/** The header for an expected version. */
export function condition(expected: unknown): Record<string, string> {
  if (expected === undefined || expected === "any") return {};
  if (expected === "no-stream") return { "If-None-Match": "*" };
  if (expected === "stream-exists") return { "If-Match": "*" };
  if (Number.isSafeInteger(expected) && (expected as number) >= 0) {
    return { "If-Match": `"${expected as number}"` };
  }
  const reason = 'must be a version, "any", "no-stream" or "stream-exists"';
  throw refused("invalid_expected_version", "expectedVersion", reason);
}

/** The header for an idempotency key, or for another option that is sent as one. */
export function keyHeader(key: unknown, field = "idempotencyKey"): Record<string, string> {
  const code = "invalid_idempotency_key";
  encoded(code, field, key, IDEMPOTENCY_KEY_BYTES);
  const text = key as string;
  if (/[\u0000-\u001f\u007f-\u009f]/.test(text)) {
    throw refused(code, field, "must not have control characters");
  }
  if (text !== text.trim()) {
    throw refused(code, field, "must not start or end with white space, which HTTP would drop");
  }
  return { "Idempotency-Key": inHeader(text) };
}

/** A unique key. */
export function randomKey(): string {
  const bytes = crypto.getRandomValues(new Uint8Array(16));
  return Array.from(bytes, (byte) => byte.toString(16).padStart(2, "0")).join("");
}

/** Checks that HTTP can carry the options of a read. */
export function sentRange(options: ReadOptions): SentRange {
  checkOptions(options, RANGE_OPTIONS);
  const { from, to, limit, direction, type } = options;
  for (const [name, bound] of Object.entries({ from, to, limit })) {
    if (bound === undefined || typeof bound === "number") continue;
    throw invalid(name, "must be a whole number");
  }
  if (direction !== undefined && direction !== "forward" && direction !== "backward") {
    throw invalid("direction", 'must be "forward" or "backward"');
  }
  if (type !== undefined) encoded("invalid_event_type", "type", type, EVENT_TYPE_BYTES);
  return { from, to, limit, direction, type };
}

/** The request for a part of the feed. It checks that HTTP can carry it. */
export function feedRequest({ after, category, types }: WantedFeed, wanted: LinesWanted = {}) {
  if (after !== undefined) encoded("invalid_checkpoint", "after", after, CHECKPOINT_CHARACTERS);
  if (category !== undefined) encoded("invalid_category", "category", category, STREAM_ID_BYTES);
  for (const type of types ?? []) encoded("invalid_event_type", "types", type, EVENT_TYPE_BYTES);
  const path = `events${query({ after, category, type: types, ...wanted })}`;
  return { path, fields: { type: "types" } };
}

/** The request for a part of the directory. It checks that HTTP can carry it. */
export function directoryRequest(
  { prefix, category, after, next }: WantedDirectory & { readonly next?: string | undefined },
  limit: number,
) {
  if (category !== undefined) encoded("invalid_category", "category", category, STREAM_ID_BYTES);
  const names = { prefix: sentText("prefix", prefix), category, after: sentText("after", after) };
  return { path: `streams${query({ ...names, next, limit })}` };
}

/** A text to send. An empty text is left out: it does not change the result. */
export function sentText(field: string, text: string | undefined): string | undefined {
  if (text === undefined || text === "") return undefined;
  encoded("invalid_parameter", field, text, Infinity);
  return text;
}

/** The parameters of a query. Undefined ones are not sent. */
type Parameters = Readonly<Record<string, string | number | readonly string[] | undefined>>;

/** The query of a URL, with its `?`. */
export function query(parameters: Parameters): string {
  const sent = Object.entries(parameters).flatMap(([name, value]) =>
    (Array.isArray(value) ? value : value === undefined ? [] : [value]).map(
      (one) => `${name}=${encodeURIComponent(one)}`,
    ),
  );
  return sent.length === 0 ? "" : `?${sent.join("&")}`;
}

/** Encodes a name for a URL. It refuses only a name with more characters than `longest` bytes; the server counts the bytes. */
function encoded(code: SillokErrorCode, field: string, name: unknown, longest: number): string {
  if (typeof name !== "string") throw refused(code, field, "must be a string");
  if (name === "") throw refused(code, field, "must not be empty");
  if (name.length > longest) throw refused(code, field, `is longer than ${longest} bytes`);
  try {
    return encodeURIComponent(name);
  } catch {
    throw refused(code, field, "must not have a lone surrogate");
  }
}

/** Whether headers of this platform take any text. It is undefined until a text needs it: workerd logs a line for each such header. */
let takesText: boolean | undefined;

/** Writes UTF-8 into a header. Most platforms expect each byte as a character; workerd expects the text. */
function inHeader(text: string): string {
  if (/^[\x20-\x7e]*$/.test(text)) return text;
  takesText ??= isTextTaken();
  return takesText ? text : String.fromCharCode(...new TextEncoder().encode(text));
}

function isTextTaken(): boolean {
  try {
    new Headers({ a: "\ucd94" });
    return true;
  } catch {
    return false;
  }
}

function refused(code: SillokErrorCode, field: string, reason: string): SillokError {
  return new SillokError({ code, detail: `\`${field}\` ${reason}`, field });
}
