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
