import type {
  AppendedEvents,
  AppendResult,
  FeedEnd,
  FeedEvent,
  NewEvent,
  RecordedEvent,
  StreamEntry,
  StreamHead,
  TruncateResult,
  Verification,
} from "../store/events.js";
import { invalid } from "../store/invalid.js";
import { writeJson } from "../store/json.js";
import { type Rejection, SillokError } from "../store/errors.js";
import type { PendingCommands, SentCommand, Timer } from "../store/pending.js";
import type { Store } from "../store/store.js";
import {
  type AppendOptions,
  checkOptions,
  type ConnectOptions,
  type ReadAllOptions,
  type ReadOptions,
  type StreamAppend,
  type StreamsOptions,
  type SubscribeAllOptions,
  type SubscribeOptions,
  type TruncateOptions,
} from "../store/options.js";
import { remoteStreams } from "./directory.js";
import { readRemoteFeed, remoteEnd, subscribeRemoteFeed } from "./feed.js";
import { checkedAnswer, Http } from "./http.js";
import { condition, keyHeader, randomKey, streamPath } from "./input.js";
import { exportRemote, readRemote, remoteHead } from "./read.js";
import { subscribeRemote } from "./subscribe.js";
import { cancelRemote, rejectRemote, remotePending, retryRemote } from "./pending.js";

const APPEND_OPTIONS = [
  "expectedVersion",
  "idempotencyKey",
] as const satisfies (keyof AppendOptions)[];
const TRUNCATE_OPTIONS = ["before"] as const satisfies (keyof TruncateOptions)[];

/**
 * The streams of a deployed Sillok: {@link Client.store}, and the part of {@link RemoteAggregateStore} that decides nothing. Its
 * methods have the same arguments, results and errors as the methods of {@link EventStore}.
 *
 * The store repeats a request that gets no answer (an error of the network, a 5xx that is not Sillok's own, `unavailable`)
 * after a pause, 4 times by default; see `retries`. After the last retry, the error is `unavailable`. It repeats no other
 * request. A repeated append takes effect once, by its idempotency key: your own key, or a random one, which costs the
 * server one more written row.
 */
export class RemoteEventStore<Events extends NewEvent = NewEvent>
  implements Store<Events>, PendingCommands
{
  readonly #http: Http;

  /** Use {@link connect}, or {@link EventStore.connect}. */
  constructor(url: string | { readonly href: string }, options: ConnectOptions) {
    this.#http = new Http(url, options);
  }

  /**
   * Appends one event, or an array of events as one commit. The store writes all events or none. See
   * {@link EventStore.append}.
   *
   * @param stream - The stream id. The ids `.` and `..` are refused, because HTTP cannot carry them.
   * @param events - One event, or 1 to 1,024 events.
   * @param options - The expected version, and an idempotency key, which must not start or end with white space.
   * @returns The versions, the time and the ids of the events. `replayed` is true only for an append under your own key. It is also
   * true if this call has repeated its own request.
   * @throws {@link SillokError} as {@link EventStore.append} does; `unavailable`, after which you can safely repeat only an
   * append under your own key; `missing_token`, `invalid_token`, `insufficient_scope`, `stream_not_allowed`, `overloaded`.
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
  async append<E extends NewEvent = Events>(
    stream: string,
    events: AppendedEvents<E>,
    options: AppendOptions = {},
  ): Promise<AppendResult> {
    checkOptions(options, APPEND_OPTIONS);
    const { text: body } = writeJson(events, Array.isArray(events) ? "events" : "");
    const { expectedVersion, idempotencyKey } = options;
    const path = `${streamPath(stream)}/events`;
    const headers = { ...condition(expectedVersion), "Content-Type": "application/json" };
    const isKeyed = idempotencyKey !== undefined;
    if (isKeyed) Object.assign(headers, keyHeader(idempotencyKey));
    // Without a key, the retry of an append with a lost answer would append twice, or end in a conflict with itself.
    else if (this.#http.retries > 0) Object.assign(headers, keyHeader(randomKey()));
    const answer = await this.#http.json({ method: "POST", path, headers, body, status: 201 });
    const result = checkedAnswer<AppendResult>(answer, "version", "number");
    // Under this call's own random key, only this call has appended.
    return isKeyed ? result : { ...result, replayed: false };
  }

  /** Refuses, because each stream has an object of its own. See {@link Store.appendAll}. */
  async appendAll<E extends NewEvent = Events>(
    _appends: readonly StreamAppend<E>[],
  ): Promise<AppendResult[]> {
    const detail =
      "a server appends to one stream at a time; use a process to change several streams";
    throw new SillokError({ code: "not_supported", detail, field: "appends" });
  }

  /**
   * Returns the head of a stream. See {@link Store.head}.
   *
   * @param stream - The stream id.
   * @returns The head. A stream that never had an event is at version 0.
   */
  async head(stream: string): Promise<StreamHead> {
    return remoteHead(this.#http, stream);
  }

  /**
   * Reads the events of a stream in order, up to the version that the stream has when you take the first event. The store
   * reads events while the server sends them, and no faster than you take them. After a lost connection, it connects again
   * and continues after the last event, or after the last place that the server has searched.
   *
   * @param stream - The stream id.
   * @param options - The range, the order and the type of the events.
   * @returns The events, for `for await`. You can iterate over them once.
   * @throws {@link SillokError} as {@link EventStore.read} does, and `unavailable`, `missing_token`, `invalid_token`,
   * `insufficient_scope`, `stream_not_allowed`, `overloaded`.
   */
  read<E extends NewEvent = Events>(
    stream: string,
    options: ReadOptions = {},
  ): AsyncGenerator<RecordedEvent<E>, void, undefined> {
    return readRemote<E>(this.#http, stream, options);
  }

  /**
   * Follows a stream. The subscription returns the existing events and then each new one, every event once and in order.
   * After a lost connection, or 40 seconds without data, the store connects again, without a limit of retries. It continues
   * after the last event, or after the last place that the server has searched. The server ends a connection when its token
   * expires, and the store connects again: pass `token` as a function.
   *
   * The subscription ends when you leave the loop, call `return`, or abort the signal. None of these is an error. Until then
   * it waits for events.
   *
   * @param stream - The stream id. The stream may have no events yet.
   * @param options - The version to start after, the type of the events, and a signal that ends the subscription.
   * @returns The events, for `for await`. You can iterate over them once.
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
  subscribe<E extends NewEvent = Events>(
    stream: string,
    options?: SubscribeOptions,
  ): AsyncGenerator<RecordedEvent<E>, void, undefined>;
  subscribe<E extends NewEvent = Events>(
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
   * Reads the events of all streams. See {@link Store.readAll}.
   *
   * @param options - A checkpoint to start after, a category, types, and a limit.
   * @returns The events, for `for await`. You can iterate over them once.
   */
  readAll<E extends NewEvent = Events>(
    options: ReadAllOptions = {},
  ): AsyncGenerator<FeedEvent<E>, void, undefined> {
    return readRemoteFeed<E>(this.#http, options);
  }

  /** Returns the end of the feed of all streams. See {@link Store.end}. */
  async end(): Promise<FeedEnd> {
    return remoteEnd(this.#http);
  }

  /** Lists the streams. See {@link Store.streams}. */
  streams(options: StreamsOptions = {}): AsyncGenerator<StreamEntry, void, undefined> {
    return remoteStreams(this.#http, options);
  }

  /**
   * Verifies that the history of a stream is unchanged. See {@link EventStore.verify}.
   *
   * @param stream - The stream id.
   * @returns Whether the history is intact. If not, `broken` is the first wrong commit.
   */
  async verify(stream: string): Promise<Verification> {
    const path = `${streamPath(stream)}/verify`;
    const answer = await this.#http.json({ method: "GET", path, status: 200 });
    return checkedAnswer<Verification>(answer, "intact", "boolean");
  }

  /**
   * Exports the commits of a stream as lines. See {@link EventStore.exportCommits}.
   *
   * @param stream - The stream id.
   * @returns The lines. If the connection is lost during the export, the store does not connect again.
   * @throws {@link SillokError} as {@link EventStore.exportCommits} does, and `unavailable` when the server does not answer,
   * or the export is cut off.
   */
  exportCommits(stream: string): AsyncGenerator<string, void, undefined> {
    return exportRemote(this.#http, stream);
  }

  /**
   * Forgets the events of a stream before a version. You cannot undo it. The token must have the scope `admin`. See
   * {@link EventStore.truncate}.
   *
   * @param stream - The stream id.
   * @param options - The version of the first event that the stream has afterwards.
   * @returns The versions that are left.
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
   * Deletes a stream. You cannot undo it. The token must have the scope `admin`. See {@link EventStore.delete}.
   *
   * @param stream - The stream id.
   */
  async delete(stream: string): Promise<void> {
    const path = streamPath(stream);
    await this.#http.send({ method: "DELETE", path, status: 204 }, () => undefined);
  }

  /**
   * Lists the timers of a stream, as a store in this program does.
   *
   * @param stream - The stream id.
   * @returns The timers, for `for await`. You can iterate over them once.
   */
  timers(stream: string): AsyncGenerator<Timer, void, undefined> {
    return remotePending(this.#http, stream, "timers");
  }

  /**
   * Cancels a timer, as a store in this program does. The token must have the scope `admin`.
   *
   * @param stream - The stream id.
   * @param key - The key of the timer.
   * @returns Whether there was one. If the server did not answer and the request was repeated, the result may be `false`.
   */
  async cancelTimer(stream: string, key: string): Promise<boolean> {
    return cancelRemote(this.#http, stream, "timers", key);
  }

  /**
   * Attempts a parked timer again, as a store in this program does. The token must have the scope `admin`.
   *
   * @param stream - The stream id.
   * @param key - The key of the timer.
   * @returns Whether there was a parked one. If the server did not answer and the request was repeated, the result may be `false`.
   */
  async retryTimer(stream: string, key: string): Promise<boolean> {
    return retryRemote(this.#http, stream, "timers", key);
  }

  /**
   * Lists the sent commands of a process, as a store in this program does.
   *
   * @param stream - The stream of the process.
   * @returns The sent commands, for `for await`. You can iterate over them once.
   */
  sent(stream: string): AsyncGenerator<SentCommand, void, undefined> {
    return remotePending(this.#http, stream, "sent");
  }

  /**
   * Sends a parked command again, as a store in this program does. The token must have the scope `admin`.
   *
   * @param stream - The stream of the process.
   * @param id - The id of the sent command.
   * @returns Whether there was a parked one. If the server did not answer and the request was repeated, the result may be `false`.
   */
  async retrySent(stream: string, id: string): Promise<boolean> {
    return retryRemote(this.#http, stream, "sent", id);
  }

  /**
   * Answers a parked command in place of its receiver, as a store in this program does. The token must have the scope `admin`.
   *
   * @param stream - The stream of the process.
   * @param id - The id of the sent command.
   * @param rejection - The rejection: its code, and information about it.
   * @returns Whether there was a parked one. If the server did not answer and the request was repeated, the result may be `false`.
   */
  async rejectSent(stream: string, id: string, rejection: Rejection): Promise<boolean> {
    return rejectRemote(this.#http, stream, id, rejection);
  }

  /**
   * Removes a sent command, as a store in this program does. The token must have the scope `admin`.
   *
   * @param stream - The stream of the process.
   * @param id - The id of the sent command.
   * @returns Whether there was one. If the server did not answer and the request was repeated, the result may be `false`.
   */
  async cancelSent(stream: string, id: string): Promise<boolean> {
    return cancelRemote(this.#http, stream, "sent", id);
  }
}
