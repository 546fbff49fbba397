import { SillokError } from "./errors.js";

/**
 * What must be true of a stream for an append to happen.
 *
 * - `"any"`: nothing.
 * - `"no-stream"`: it has no events yet.
 * - `"stream-exists"`: it has at least one event.
 * - a number: it is at exactly this version, that is, it has this many events. 0 is the same as `"no-stream"`.
 */
export type ExpectedVersion = "any" | "no-stream" | "stream-exists" | number;

/** How to append. */
export interface AppendOptions {
  /** What must be true of the stream for the append to happen. Default: `"any"`. */
  readonly expectedVersion?: ExpectedVersion | undefined;
  /**
   * A name for this append, 1 to 200 bytes of UTF-8 without control characters, such as the id of the request that
   * caused it. Sent again to the same stream with the same events, the append does nothing and answers what it answered
   * the first time, whatever has happened since. A key is kept as long as its events. Default: none.
   */
  readonly idempotencyKey?: string | undefined;
}

/** What to forget. */
export interface TruncateOptions {
  /** The version of the first event to keep: a whole number from 1 to one more than the stream's version. */
  readonly before: number;
}

/** Which events of a stream to read, and in which order. */
export interface ReadOptions {
  /** The least version to read, itself included: a whole number from 1. Default: the first. */
  readonly from?: number | undefined;
  /** The greatest version to read, itself included, whatever the direction. Default: the last. */
  readonly to?: number | undefined;
  /** The most events to read: a whole number from 1. Default: all. */
  readonly limit?: number | undefined;
  /** `"forward"` reads the oldest first, `"backward"` the newest. Default: `"forward"`. */
  readonly direction?: "forward" | "backward" | undefined;
  /** The only type of events to read; `limit` counts these alone. Default: all types. */
  readonly type?: string | undefined;
}

/** Refuses options that do not exist: a misspelt one would otherwise be passed over in silence. */
export function checkOptions(options: unknown, names: readonly string[]): void {
  if (typeof options !== "object" || options === null) {
    throw invalid("options", "the options must be an object");
  }
  const unknown = Object.keys(options).find((name) => !names.includes(name));
  if (unknown !== undefined) {
    throw invalid(unknown, `there is no option \`${unknown}\`; there is \`${names.join("`, `")}\``);
  }
}

function invalid(field: string, detail: string): SillokError {
  return new SillokError({ code: "invalid_parameter", detail, field });
}
