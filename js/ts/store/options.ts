import { SillokError } from "./errors.js";
import type { AppendedEvents, NewEvent } from "./events.js";
import { invalid } from "./invalid.js";

/**
 * The condition of an append. If the stream does not meet it, the store refuses the append.
 *
 * - `"any"`: no condition.
 * - `"no-stream"`: the stream has no events yet.
 * - `"stream-exists"`: the stream has at least one event.
 * - a number: the stream has exactly this version. 0 is the same as `"no-stream"`.
 */
export type ExpectedVersion = "any" | "no-stream" | "stream-exists" | number;

/** Options of an append. */
export interface AppendOptions {
  /** The condition of the append. Default: `"any"`. */
  readonly expectedVersion?: ExpectedVersion | undefined;
  /**
   * A name for this append, such as the id of the request that causes it: 1 to 200 bytes of UTF-8 without control
   * characters and U+FFFD. If you repeat the append with the same key, stream and events, the store writes nothing and
   * returns the first result again, even if the stream has changed since. The store forgets a key together with its
   * events. Default: none.
   */
  readonly idempotencyKey?: string | undefined;
}

/** One of the appends of {@link Store.appendAll}. */
export interface StreamAppend<E extends NewEvent = NewEvent> extends AppendOptions {
  /** The stream id. Each stream occurs once. */
  readonly stream: string;
  /** One event, or 1 to 1,024 events. */
  readonly events: AppendedEvents<E>;
}

/** Options of {@link EventStore.open}. */
export interface OpenOptions {
  /**
   * How many milliseconds a call waits while another connection, usually of another process, has locked the file: a whole
   * number from 0 to 2,147,483,647. After that time, the call fails with `storage_busy`. Default: 5,000.
   */
  readonly busyTimeout?: number | undefined;
  /**
   * Whether to open the file for reading only. The file must exist; the file and its folder need not be writable. Every
   * call that writes fails with `storage_read_only`. Default: false.
   *
   * In a folder that is not writable, SQLite cannot always read the events in the file with `-wal` added to its name. In that
   * case the file cannot be opened. In such a folder, nobody may write to the file while it is open. If somebody does, every
   * call fails with `storage_failed` until you open the file again.
   */
  readonly readOnly?: boolean | undefined;
}

/** Options of a new {@link EventStore} in memory. */
export interface StoreOptions {
  /**
   * The clock of the store, for tests: a function that returns the time in milliseconds since 1970. Events get its time, and
   * timers are due by it. Default: the clock of the platform.
   */
  readonly now?: (() => number) | undefined;
}

/** Options of {@link EventStore.connect}. */
export interface ConnectOptions {
  /**
   * A token, or the server's secret itself. The store sends it as `Authorization: Bearer …`. Default: none.
   *
   * If it is a function, the store calls it before each request and each new connection, also those of a subscription. So you
   * can replace a token that expires. An error of the function reaches you unchanged, and the store does not call it again.
   */
  readonly token?: string | (() => string | PromiseLike<string>) | undefined;
  /**
   * A function that sends the requests instead of the platform's `fetch`. Use it to set a time limit, or to reach another
   * Worker by a service binding.
   */
  readonly fetch?: Fetch | undefined;
  /**
   * How many times the store repeats a request that gets no answer: a whole number from 0 to 100. The pauses between the
   * requests grow from a tenth of a second to 5 seconds. Default: 4.
   *
   * The store sends each append under an idempotency key, so that a repeated append takes effect once. The key costs the
   * server one more written row. With 0, the store repeats nothing and sends only your own keys.
   */
  readonly retries?: number | undefined;
}

/** A function that sends the requests of a remote store. The platform's `fetch` is one. */
export type Fetch = (url: string, request: FetchRequest) => Promise<FetchResponse>;

/** A request for a {@link Fetch}. Pass it on as a whole: it may have more fields than these. */
export interface FetchRequest {
  /** `GET`, `POST` or `DELETE`. */
  method: string;
  /** The headers, with the token. */
  headers: Record<string, string>;
  /** The body, if there is one. */
  body?: string;
  /** The store follows no redirections, because they would send the token to another place. */
  redirect: "manual";
}

/** The answer of a {@link Fetch}: a `Response`. */
export interface FetchResponse {
  /** The status. */
  readonly status: number;
  /** The headers. */
  readonly headers: { get(name: string): string | null };
  /** The body, a `ReadableStream` of bytes. */
  readonly body: unknown;
  /** Reads the whole body as text. */
  text(): Promise<string>;
}

/** Options of a truncation. */
export interface TruncateOptions {
  /** The version of the first event that is not forgotten: a whole number from 1 to the version of the stream + 1. */
  readonly before: number;
}

/** Options of a read: a range of events, and their order. */
export interface ReadOptions {
  /** The lowest version of the range, included: a whole number from 1. Default: the first version. */
  readonly from?: number | undefined;
  /**
   * The highest version of the range, included, in both directions: a whole number from 0. If it is less than `from`, the range is
   * empty. Default: the last version.
   */
  readonly to?: number | undefined;
  /** The largest number of events: a whole number from 0. Default: no limit. */
  readonly limit?: number | undefined;
  /** `"forward"` reads the oldest event first, `"backward"` the newest. Default: `"forward"`. */
  readonly direction?: "forward" | "backward" | undefined;
  /** Reads only events of this type. `limit` counts only these. Default: all types. */
  readonly type?: string | undefined;
}

/** Options of a subscription to one stream. */
export interface SubscribeOptions {
  /** The last version that you have seen. The subscription starts with the next one. Default: 0, the beginning. */
  readonly after?: number | undefined;
  /** Follows only events of this type. Default: all types. */
  readonly type?: string | undefined;
  /**
   * Is called once, when the caller has taken every event that existed: a page can show the events now. Later events follow. An
   * error that it throws ends the subscription.
   */
  readonly onCaughtUp?: (() => void) | undefined;
  /** Ends the subscription when you abort it. */
  readonly signal?: Signal | undefined;
}

/**
 * A place in the feed of all streams.
 *
 * - the `checkpoint` of an event: after this event.
 * - `{ position }`: after the event at this position; 0 is the beginning. A server with several partitions refuses it.
 * - `"end"`: after the last event that exists now.
 */
export type FeedPlace = string | { readonly position: number };

/** Options of a read of all streams. */
export interface ReadAllOptions {
  /** The place to start after, such as the `checkpoint` of the last event that you have seen. Default: the beginning. */
  readonly after?: FeedPlace | undefined;
  /**
   * Returns only events of this category. The category is the text before the first `-` of the stream id, or the whole id if
   * it has none. Default: all streams.
   */
  readonly category?: string | undefined;
  /** Returns only events of these types, one or more. Default: all types. */
  readonly types?: readonly string[] | undefined;
  /** The largest number of events: a whole number from 0. Default: no limit. */
  readonly limit?: number | undefined;
}

/** Options of a subscription to all streams: `{ all: true }`, a `category`, `types`, or a category and types. */
export type SubscribeAllOptions = Omit<ReadAllOptions, "limit"> & {
  /** Follows the events of all streams and types. */
  readonly all?: true | undefined;
  /**
   * Is called once, when the caller has taken every event that existed: a page can show the events now. Later events follow. An
   * error that it throws ends the subscription.
   */
  readonly onCaughtUp?: (() => void) | undefined;
  /** Ends the subscription when you abort it. */
  readonly signal?: Signal | undefined;
} & (
    | { readonly all: true; readonly category?: undefined; readonly types?: undefined }
    | { readonly all?: undefined; readonly category: string }
    | { readonly all?: undefined; readonly types: readonly string[] }
  );

/** Options of a list of streams. */
export interface StreamsOptions {
  /** Lists only streams whose ids start with this text. Default: all streams. */
  readonly prefix?: string | undefined;
  /** Lists only streams of this category: the text before the first `-` of the stream id. Default: all streams. */
  readonly category?: string | undefined;
  /** The stream id to start after, in the order of the bytes of the ids. Default: the beginning. */
  readonly after?: string | undefined;
  /** The largest number of streams: a whole number from 0. Default: no limit. */
  readonly limit?: number | undefined;
}

/** Options of {@link EventGateway.run} and {@link EventGateway.catchUp}. */
export interface RunOptions {
  /** Ends the run when you abort it. */
  readonly signal?: Signal | undefined;
}

/** Options of a replay. */
export interface ReplayOptions {
  /** Replays only this stream. Default: all streams. */
  readonly stream?: string | undefined;
  /** Replays only streams of this category, such as `account` for `account-42`. Default: all streams. */
  readonly category?: string | undefined;
  /** Replays only events of these types. Default: all types. */
  readonly types?: readonly string[] | undefined;
  /** Reports the progress. The replay calls it after each page of at most 1,000 events, and so also at the end. */
  readonly onProgress?: ((progress: ReplayProgress) => void) | undefined;
  /** Ends the replay between two events when you abort it. */
  readonly signal?: Signal | undefined;
}

/** The progress of a replay. */
export interface ReplayProgress {
  /** The number of handled events. */
  handled: number;
  /** The position up to which the replay has read; for one stream, the version. */
  position: number;
  /** The position of the last event at the start of the replay; for one stream, its version. */
  end: number;
}

/** An `AbortSignal`. */
export interface Signal {
  /** Whether somebody has aborted it. */
  readonly aborted: boolean;
  /** Calls `listener` when somebody aborts it. */
  addEventListener(type: "abort", listener: () => void): void;
  /** Stops calling `listener`. */
  removeEventListener(type: "abort", listener: () => void): void;
}

/** Refuses unknown options. Otherwise the store would ignore a misspelt option in silence. */
export function checkOptions(options: unknown, names: readonly string[]): void {
  if (typeof options !== "object" || options === null) {
    throw refused("options", "the options must be an object");
  }
  const unknown = Object.keys(options).find((name) => !names.includes(name));
  if (unknown !== undefined) {
    throw refused(
      unknown,
      `there is no option \`${unknown}\`; the options are \`${names.join("`, `")}\``,
    );
  }
}

/** Refuses an object that is no signal. A later call on it would fail, or the wait would never end. */
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
