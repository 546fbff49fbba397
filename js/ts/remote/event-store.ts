import type {
  AppendResult,
  FeedEvent,
  NewEvent,
  RecordedEvent,
  StreamEntry,
  TruncateResult,
  Verification,
} from "../store/events.js";
import { invalid } from "../store/invalid.js";
import { writeJson } from "../store/json.js";
import {
  type AppendOptions,
  checkOptions,
  type ConnectOptions,
  type ReadAllOptions,
  type ReadOptions,
  type StreamsOptions,
  type SubscribeAllOptions,
  type SubscribeOptions,
  type TruncateOptions,
} from "../store/options.js";
import type { Store } from "../store/store.js";
import { remoteStreams } from "./directory.js";
import { readRemoteFeed, subscribeRemoteFeed } from "./feed.js";
import { checkedAnswer, Http } from "./http.js";
import { condition, keyHeader, streamPath } from "./input.js";
import { exportRemote, readRemote } from "./read.js";
import { subscribeRemote } from "./subscribe.js";

const APPEND_OPTIONS = [
  "expectedVersion",
  "idempotencyKey",
] as const satisfies (keyof AppendOptions)[];
const TRUNCATE_OPTIONS = ["before"] as const satisfies (keyof TruncateOptions)[];

/**
 * The streams of a deployed Sillok, as {@link EventStore.connect} gives them. What its methods take, answer and refuse
 * is what {@link EventStore}'s do.
 *
 * A request that fails on the way (the network, a 5xx that is not Sillok's own, `unavailable`) is repeated after a
 * pause, 4 times unless `retries` says otherwise; then the error is `unavailable`. Nothing else is repeated. An append
 * that is repeated still happens once, by its idempotency key: the one you give, or a random one, which costs the
 * server one more written row.
 */
export class RemoteEventStore implements Store {
  readonly #http: Http;

  /** By {@link EventStore.connect}. */
  constructor(url: string | { readonly href: string }, options: ConnectOptions) {
    this.#http = new Http(url, options);
  }

  /**
   * Appends one event, or an array of them as one commit: all are written or none. See {@link EventStore.append}.
   *
   * @param stream - Which stream. The names `.` and `..` cannot be reached over HTTP, and are refused.
   * @param events - One event or 1 to 1,024 of them.
   * @param options - What must be true of the stream, and a name under which the append can be repeated, which must
   * not begin or end with white space.
   * @returns The versions and the time of the events. `replayed` tells of keys that you gave: of an append under one,
   * it is also true when this very call repeated its request.
   * @throws {@link SillokError} as {@link EventStore.append} does; `unavailable`, after which only an append under a
   * key that you gave can be repeated safely; `missing_token`, `invalid_token`, `insufficient_scope`,
   * `stream_not_allowed`, `overloaded`.
   *
   * @example
   * ```ts
   * import { EventStore, isWrongExpectedVersion } from "sillok";
   *
   * const store = EventStore.connect("https://sillok.example.workers.dev", { token: "your-token" });
   * await store.append("account-2", { type: "Opened" }, { expectedVersion: "no-stream" });
   * try {
   *   await store.append("account-2", { type: "Frozen" }, { expectedVersion: 5 });
   * } catch (error) {
   *   if (!isWrongExpectedVersion(error)) throw error;
   *   console.log(error.expected, error.actual); // 5 1
   * }
   * ```
   */
  async append<E extends NewEvent = NewEvent>(
    stream: string,
    events: E | readonly E[],
    options: AppendOptions = {},
  ): Promise<AppendResult> {
    checkOptions(options, APPEND_OPTIONS);
    const { text: body } = writeJson(events, Array.isArray(events) ? "events" : "");
    const { expectedVersion, idempotencyKey } = options;
    const path = `${streamPath(stream)}/events`;
    const headers = { ...condition(expectedVersion), "Content-Type": "application/json" };
    const isKeyed = idempotencyKey !== undefined;
    if (isKeyed) Object.assign(headers, keyHeader(idempotencyKey));
    // Without a key, an append whose answer was lost would happen twice, or meet itself as a conflict.
    else if (this.#http.retries > 0) Object.assign(headers, keyHeader(randomKey()));
    const answer = await this.#http.json({ method: "POST", path, headers, body, status: 201 });
    const result = checkedAnswer<AppendResult>(answer, "version", "number");
    // Under a key of this call's own, it is this call that appended.
    return isKeyed ? result : { ...result, replayed: false };
  }

  /**
   * Reads the events of a stream one after the other, up to the version that the stream has when the first is
   * asked for. They are read while they are sent, and no faster than you take them. A connection that is lost is made
   * again, and goes on where the server has looked, which is at the last event that came or behind it.
   *
   * @param stream - Which stream.
   * @param options - Which of its events, and in which order.
   * @returns What `for await` takes; it can be gone through once.
   * @throws {@link SillokError} as {@link EventStore.read} does, and `unavailable`, `missing_token`, `invalid_token`,
   * `insufficient_scope`, `stream_not_allowed`, `overloaded`.
   */
  read<E extends NewEvent = NewEvent>(
    stream: string,
    options: ReadOptions = {},
  ): AsyncGenerator<RecordedEvent<E>, void, undefined> {
    return readRemote<E>(this.#http, stream, options);
  }

  /**
   * Follows a stream: the events there are, and then each as it is appended, every one once and in order. A connection
   * that is lost, or from which nothing comes for 40 seconds, is made again, however often, and goes on where the
   * server has looked, which is at the last event that came or behind it. So is one that the server ends because its
   * token has expired: give `token` as a function.
   *
   * It ends when you leave the loop, call `return`, or abort the signal; none of these is an error. Until then it waits
   * for events.
   *
   * @param stream - Which stream; it need not have events yet.
   * @param options - From where on, events of which type, and what ends it.
   * @returns What `for await` takes; it can be gone through once.
   * @throws {@link SillokError} `stream_deleted` when the stream was deleted; `invalid_stream_id`,
   * `invalid_event_type`, `invalid_parameter`; `missing_token`, `invalid_token`, `insufficient_scope`,
   * `stream_not_allowed`, `overloaded`.
   *
   * @example
   * ```ts
   * import { EventStore } from "sillok";
   *
   * const store = EventStore.connect("https://sillok.example.workers.dev", { token: "your-token" });
   * await store.append("account-3", [{ type: "Opened" }, { type: "Frozen" }]);
   * for await (const event of store.subscribe("account-3", { after: 1 })) {
   *   console.log(event.version, event.type); // 2 Frozen // 3 Closed
   *   if (event.type === "Closed") break;
   *   await store.append("account-3", { type: "Closed" });
   * }
   * ```
   */
  subscribe<E extends NewEvent = NewEvent>(
    stream: string,
    options?: SubscribeOptions,
  ): AsyncGenerator<RecordedEvent<E>, void, undefined>;
  subscribe<E extends NewEvent = NewEvent>(
    feed: SubscribeAllOptions,
  ): AsyncGenerator<FeedEvent<E>, void, undefined>;
  subscribe<E extends NewEvent>(
    from: string | SubscribeAllOptions,
    options: SubscribeOptions = {},
  ): AsyncGenerator<RecordedEvent<E>, void, undefined> {
    const isFeed = typeof from === "object" && from !== null;
    return isFeed
      ? subscribeRemoteFeed<E>(this.#http, from)
      : subscribeRemote<E>(this.#http, from, options);
  }

  /**
   * Reads the events of all streams one after the other. See {@link Store.readAll}.
   *
   * @param options - Which of them.
   * @returns What `for await` takes; it can be gone through once.
   */
  readAll<E extends NewEvent = NewEvent>(
    options: ReadAllOptions = {},
  ): AsyncGenerator<FeedEvent<E>, void, undefined> {
    return readRemoteFeed<E>(this.#http, options);
  }

  /**
   * Lists the streams that there are. See {@link Store.streams}.
   *
   * @param options - Which of them.
   * @returns What `for await` takes; it can be gone through once.
   */
  streams(options: StreamsOptions = {}): AsyncGenerator<StreamEntry, void, undefined> {
    return remoteStreams(this.#http, options);
  }

  /**
   * Proves that the history of a stream is as it was written. See {@link EventStore.verify}.
   *
   * @param stream - Which stream.
   * @returns Whether the history is intact, and otherwise which commit is `broken`.
   */
  async verify(stream: string): Promise<Verification> {
    const path = `${streamPath(stream)}/verify`;
    const answer = await this.#http.json({ method: "GET", path, status: 200 });
    return checkedAnswer<Verification>(answer, "intact", "boolean");
  }

  /**
   * Hands out the commits of a stream as lines. See {@link EventStore.exportCommits}.
   *
   * @param stream - Which stream.
   * @returns The lines. A connection that is lost amid them is not made again.
   * @throws {@link SillokError} as {@link EventStore.exportCommits} does, and `unavailable` when the server could not be
   * reached, or the export was cut off.
   */
  exportCommits(stream: string): AsyncGenerator<string, void, undefined> {
    return exportRemote(this.#http, stream);
  }

  /**
   * Forgets the events of a stream before a version, for good. Takes a token with the scope `admin`. See
   * {@link EventStore.truncate}.
   *
   * @param stream - Which stream.
   * @param options - The version before which events are forgotten.
   * @returns What is left.
   */
  async truncate(stream: string, options: TruncateOptions): Promise<TruncateResult> {
    checkOptions(options, TRUNCATE_OPTIONS);
    const { before } = options;
    if (!Number.isSafeInteger(before)) throw invalid("before", "must be a whole number from 1");
    const path = `${streamPath(stream)}/truncate`;
    const [body, headers] = [`{"before":${before}}`, { "Content-Type": "application/json" }];
    const answer = await this.#http.json({ method: "POST", path, headers, body, status: 200 });
    return checkedAnswer<TruncateResult>(answer, "firstVersion", "number");
  }

  /**
   * Deletes a stream for good. Takes a token with the scope `admin`. See {@link EventStore.delete}.
   *
   * @param stream - Which stream.
   */
  async delete(stream: string): Promise<void> {
    const path = streamPath(stream);
    await this.#http.ask({ method: "DELETE", path, status: 204 }, () => undefined);
  }
}

/** A key that nobody else has. */
function randomKey(): string {
  const bytes = crypto.getRandomValues(new Uint8Array(16));
  return Array.from(bytes, (byte) => byte.toString(16).padStart(2, "0")).join("");
}
