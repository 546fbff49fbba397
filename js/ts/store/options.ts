import { SillokError } from "./errors.js";
import { invalid } from "./invalid.js";

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
   * A name for this append, 1 to 200 bytes of UTF-8 without control characters and U+FFFD, such as the id of the
   * request that caused it. Sent again to the same stream with the same events, the append does nothing and answers what it answered
   * the first time, whatever has happened since. A key is kept as long as its events. Default: none.
   */
  readonly idempotencyKey?: string | undefined;
}

/** How to open a file. */
export interface OpenOptions {
  /**
   * How many milliseconds a call waits while another connection, mostly of another process, has the file locked: a whole
   * number from 0 to 2,147,483,647. Then it is refused with `storage_busy`. Default: 5,000.
   */
  readonly busyTimeout?: number | undefined;
  /**
   * Whether to open the file only to read it. The file must be there; it and its folder need not be writable. Whatever
   * would write is refused with `storage_read_only`. Default: false.
   *
   * In a folder that cannot be written to, events that are still in the file with `-wal` added cannot always be read: then
   * the file is not opened. There, nobody may write to the file while it is open; if somebody does, every call is refused
   * with `storage_failed` until you open it again.
   */
  readonly readOnly?: boolean | undefined;
}

/** How to reach a deployed Sillok. */
export interface ConnectOptions {
  /**
   * What is sent as `Authorization: Bearer …`: a token, or the server's secret itself. Default: nothing is sent.
   *
   * A function is asked for the token before each request and each new connection, those of a subscription included: so a
   * token that expires can be followed by the next one. What the function throws is raised as it is, and not repeated.
   */
  readonly token?: string | (() => string | PromiseLike<string>) | undefined;
  /**
   * What sends the requests, in place of the platform's `fetch`: to set a time limit, or to reach another Worker by
   * a service binding.
   */
  readonly fetch?: Fetch | undefined;
  /**
   * How often a request is repeated when it failed on the way: a whole number from 0 to 100. The pauses between grow
   * from a tenth of a second to 5 seconds. Default: 4.
   *
   * So that a repeated append happens once, each append is sent under an idempotency key, which costs the server one
   * more written row. With 0 nothing is repeated, and only the keys that you give are sent.
   */
  readonly retries?: number | undefined;
}

/** What a remote store asks for its requests; the platform's `fetch` is one. */
export type Fetch = (url: string, request: FetchRequest) => Promise<FetchResponse>;

/** A request as it is given to a {@link Fetch}. Hand it on whole: it may have fields beside these. */
export interface FetchRequest {
  /** `GET`, `POST` or `DELETE`. */
  method: string;
  /** The headers, the token's among them. */
  headers: Record<string, string>;
  /** What is sent, if anything is. */
  body?: string;
  /** Redirections are not followed: the token would go with them. */
  redirect: "manual";
}

/** What a {@link Fetch} answers: a `Response`. */
export interface FetchResponse {
  /** The status. */
  readonly status: number;
  /** The headers. */
  readonly headers: { get(name: string): string | null };
  /** The body, a `ReadableStream` of bytes. */
  readonly body: unknown;
  /** The whole body. */
  text(): Promise<string>;
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

/** Which events of a stream to follow. */
export interface SubscribeOptions {
  /** The version seen last: the first to come is the one after it. Default: 0, so that the first is the first there is. */
  readonly after?: number | undefined;
  /** The only type of events to follow. Default: all types. */
  readonly type?: string | undefined;
  /** Ends the subscription when it is aborted. */
  readonly signal?: Signal | undefined;
}

/** Which events of all streams to read. */
export interface ReadAllOptions {
  /** The `checkpoint` of the event seen last: the first to come is one after it. Default: the beginning. */
  readonly after?: string | undefined;
  /**
   * The only category of streams: the text before the first `-` of their names, or the whole name where there is none.
   * Default: all.
   */
  readonly category?: string | undefined;
  /** The only types of events, one or more. Default: all types. */
  readonly types?: readonly string[] | undefined;
  /** The most events to read: a whole number from 1. Default: all. */
  readonly limit?: number | undefined;
}

/** Which events of all streams to follow: `{ all: true }`, or those of a category, of some types, or of both. */
export type SubscribeAllOptions = Omit<ReadAllOptions, "limit"> & {
  /** Says that the events of all streams and types are wanted. */
  readonly all?: true | undefined;
  /** Ends the subscription when it is aborted. */
  readonly signal?: Signal | undefined;
} & (
    | { readonly all: true; readonly category?: undefined; readonly types?: undefined }
    | { readonly all?: undefined; readonly category: string }
    | { readonly all?: undefined; readonly types: readonly string[] }
  );

/** Which streams to list. */
export interface StreamsOptions {
  /** With what the names begin. Default: with anything. */
  readonly prefix?: string | undefined;
  /** The only category of streams: the text before the first `-` of their names. Default: all. */
  readonly category?: string | undefined;
  /** The name after which to begin, in the order of the names' bytes. Default: the first. */
  readonly after?: string | undefined;
  /** The most streams to list: a whole number from 1. Default: all. */
  readonly limit?: number | undefined;
}

/** How to run what was registered. */
export interface RunOptions {
  /** Ends it when it is aborted. */
  readonly signal?: Signal | undefined;
}

/** Which events to replay, and whom to tell how far it has come. */
export interface ReplayOptions {
  /** The only stream. Default: all streams. */
  readonly stream?: string | undefined;
  /** The only category of streams, such as `account` for `account-42`. Default: all. */
  readonly category?: string | undefined;
  /** The only types of events. Default: all. */
  readonly types?: readonly string[] | undefined;
  /** Called after each page of at most 1,000 events, and so also at the end. */
  readonly onProgress?: ((progress: ReplayProgress) => void) | undefined;
  /** Ends the replay, between two events, when it is aborted. */
  readonly signal?: Signal | undefined;
}

/** How far a replay has come. */
export interface ReplayProgress {
  /** How many events were handled. */
  handled: number;
  /** The position up to which everything was looked at; of a stream, the version. */
  position: number;
  /** The position, or the version, of the last event that there was when the replay began. */
  end: number;
}

/** An `AbortSignal`. */
export interface Signal {
  /** Whether it was given already. */
  readonly aborted: boolean;
  /** Calls `listener` when it is given. */
  addEventListener(type: "abort", listener: () => void): void;
  /** Calls it no more. */
  removeEventListener(type: "abort", listener: () => void): void;
}

/** Refuses options that do not exist: a misspelt one would otherwise be passed over in silence. */
export function checkOptions(options: unknown, names: readonly string[]): void {
  if (typeof options !== "object" || options === null) {
    throw refused("options", "the options must be an object");
  }
  const unknown = Object.keys(options).find((name) => !names.includes(name));
  if (unknown !== undefined) {
    throw refused(unknown, `there is no option \`${unknown}\`; there is \`${names.join("`, `")}\``);
  }
}

/** Refuses a signal that is none: what asks it later would fail, or never end. */
export function checkSignal(signal: unknown): asserts signal is Signal | undefined {
  if (signal === undefined) return;
  const { aborted, addEventListener, removeEventListener } = (signal ?? {}) as Partial<Signal>;
  const listens =
    typeof addEventListener === "function" && typeof removeEventListener === "function";
  if (typeof aborted !== "boolean" || !listens) throw invalid("signal", "must be an AbortSignal");
}

function refused(field: string, detail: string): SillokError {
  return new SillokError({ code: "invalid_parameter", detail, field });
}
