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
} from "./events.js";
import type {
  AppendOptions,
  ReadAllOptions,
  ReadOptions,
  StreamAppend,
  StreamsOptions,
  SubscribeAllOptions,
  SubscribeOptions,
  TruncateOptions,
} from "./options.js";

/**
 * The interface of every store: {@link EventStore} in memory or in a file, {@link RemoteEventStore} on a server, or a store
 * of your own. Test your own store with the contract in `sillok/testing`.
 *
 * `Events` is the union of all events of the store. Appends take these events, and reads return them. A type parameter of a call,
 * such as `read<Deposited>`, takes its place for this call.
 *
 * @example
 * ```ts
 * import { EventStore, type Store } from "sillok";
 *
 * async function deposit(store: Store, account: string, amount: number) {
 *   const { version } = await store.append(account, { type: "Deposited", data: { amount } });
 *   return version;
 * }
 * console.log(await deposit(new EventStore(), "account-42", 100)); // 1
 * ```
 */
export interface Store<Events extends NewEvent = NewEvent> {
  /**
   * Appends one event, or an array of events as one commit. The store writes all events or none.
   *
   * The method copies the events before it returns. A `Date` becomes its ISO text, as with `JSON.stringify`.
   *
   * @param stream - The stream id: 1 to 200 bytes of UTF-8 without control characters, such as `account-42`.
   * @param events - One event, or 1 to 1,024 events. As JSON, with their ids, they have at most 1 MiB together.
   * @param options - The expected version, and an idempotency key.
   * @returns The versions, the time and the ids of the events. A store in this program also returns the `position` of the last event.
   * An error always rejects the promise; the method itself never throws.
   * @throws {@link SillokError} `wrong_expected_version`, with `stream`, `expected` and `actual`. Nothing was
   * written. See {@link isWrongExpectedVersion}.
   * @throws {@link SillokError} `invalid_stream_id`, `invalid_event`, `invalid_event_type`, `invalid_event_id`,
   * `invalid_metadata`, `metadata_too_large`, `no_events`, `too_many_events`, `commit_too_large`,
   * `invalid_expected_version`, `invalid_idempotency_key`, `invalid_parameter`: the input is invalid. `field` names the
   * wrong part. Nothing was written.
   * @throws {@link SillokError} `idempotency_key_reused`, `stream_deleted`: nothing was written.
   *
   * @example
   * ```ts
   * import { EventStore } from "sillok";
   *
   * const store = new EventStore();
   * const deposit = { type: "Deposited", data: { amount: 100 } };
   * const { version } = await store.append("account-42", deposit, { expectedVersion: "no-stream" });
   * await store.append("account-42", deposit, { expectedVersion: version });
   * console.log(version); // 1
   *
   * const once = { idempotencyKey: "request-7" };
   * const first = await store.append("account-42", deposit, once);
   * const again = await store.append("account-42", deposit, once);
   * console.log(first.version, again.version, again.replayed); // 3 3 true
   * ```
   */
  append<E extends NewEvent = Events>(
    stream: string,
    events: AppendedEvents<E>,
    options?: AppendOptions,
  ): Promise<AppendResult>;

  /**
   * Appends to several streams, to all of them or to none. Only stores in this program can do this. A server has an object for
   * each stream, and refuses; use a process for such a change there.
   *
   * @param appends - 1 to 1,024 appends, each with its stream, events, expected version and idempotency key. Each stream occurs
   * once.
   * @returns The result of each append, in the same order.
   * @throws {@link SillokError} as {@link Store.append} does. Nothing was written. A conflict names its `stream`; the `field` of
   * another error names the append, such as `appends[1].events[0].type`. `not_supported` on a server.
   *
   * @example
   * ```ts
   * import { EventStore } from "sillok";
   *
   * const store = new EventStore();
   * await store.append("account-1", { type: "Deposited", data: { cents: 100 } });
   * const [debited, credited] = await store.appendAll([
   *   { stream: "account-1", events: { type: "Withdrawn", data: { cents: 30 } }, expectedVersion: 1 },
   *   { stream: "account-2", events: { type: "Deposited", data: { cents: 30 } }, expectedVersion: "no-stream" },
   * ]);
   * console.log(debited?.version, credited?.version); // 2 1
   * ```
   */
  appendAll<E extends NewEvent = Events>(
    appends: readonly StreamAppend<E>[],
  ): Promise<AppendResult[]>;

  /**
   * Returns the head of a stream: its version, its first version and the time of its last event. A stream that never had an
   * event is at version 0. After a truncation, the version is as before, also if no event is left.
   *
   * @param stream - The stream id.
   * @returns The head. A deleted stream is no error: `deleted` is true.
   * @throws {@link SillokError} `invalid_stream_id`.
   *
   * @example
   * ```ts
   * import { EventStore } from "sillok";
   *
   * const store = new EventStore();
   * await store.append("account-42", [{ type: "Opened" }, { type: "Closed" }]);
   * await store.truncate("account-42", { before: 3 });
   * const { version, firstVersion, deleted } = await store.head("account-42");
   * console.log(version, firstVersion, deleted); // 2 3 false
   * console.log((await store.head("account-7")).version); // 0
   * ```
   */
  head(stream: string): Promise<StreamHead>;

  /**
   * Reads the events of a stream in order. The read ends at the version that the stream has when you take the first event;
   * it leaves out events that are appended later. A stream without events is not an error: the read is empty. The
   * store holds one page in memory at a time: at most 1,000 events or about 4 MiB.
   *
   * A read starts with the first event that the stream still has. From there it returns every event of its range, or ends
   * with an error: it never skips an event that was forgotten meanwhile.
   *
   * @param stream - The stream id.
   * @param options - The range, the order and the type of the events. The store checks them when you take the first event.
   * @returns The events, for `for await`. You can iterate over them once.
   * @throws {@link SillokError} `invalid_stream_id`, `invalid_event_type`, or `invalid_parameter`, whose `field` names
   * the option, when you take the first event.
   * @throws {@link SillokError} `stream_deleted` when the stream was deleted; `stream_truncated` when it was truncated
   * and the read had not reached that version.
   *
   * @example
   * ```ts
   * import { EventStore } from "sillok";
   *
   * const store = new EventStore();
   * await store.append("account-42", [{ type: "Opened" }, { type: "Frozen" }, { type: "Closed" }]);
   * for await (const event of store.read("account-42", { direction: "backward", limit: 2 })) {
   *   console.log(event.type); // Closed // Frozen
   * }
   * ```
   */
  read<E extends NewEvent = Events>(
    stream: string,
    options?: ReadOptions,
  ): AsyncGenerator<RecordedEvent<E>, void, undefined>;

  /**
   * Follows a stream. The subscription returns the existing events and then each new one, every event once and in order,
   * whichever writer has appended it. It does not return truncated events: a subscription that is behind continues with the
   * first event that the stream still has. The store holds one page in memory at a time, at most 1,000 events or about
   * 4 MiB, however slowly you take them.
   *
   * The subscription ends when you leave the loop, call `return`, or abort the signal. None of these is an error. Until
   * then it waits for events, and a waiting subscription prevents the exit of a program in Node. On a file, an event of
   * another process arrives within about a tenth of a second.
   *
   * @param stream - The stream id. The stream may have no events yet.
   * @param options - The version to start after, the type of the events, and a signal that ends the subscription. The store
   * checks them when you take the first event.
   * @returns The events, for `for await`. You can iterate over them once.
   * @throws {@link SillokError} `stream_deleted` when the stream was deleted; `invalid_stream_id`,
   * `invalid_event_type`, or `invalid_parameter`, whose `field` names the option.
   *
   * @example
   * ```ts
   * import { EventStore } from "sillok";
   *
   * const store = new EventStore();
   * await store.append("account-42", [{ type: "Opened" }, { type: "Frozen" }]);
   * for await (const event of store.subscribe("account-42", { after: 1 })) {
   *   console.log(event.version, event.type); // 2 Frozen // 3 Closed
   *   if (event.type === "Closed") break;
   *   await store.append("account-42", { type: "Closed" });
   * }
   * ```
   */
  subscribe<E extends NewEvent = Events>(
    stream: string,
    options?: SubscribeOptions,
  ): AsyncGenerator<RecordedEvent<E>, void, undefined>;

  /**
   * Follows the events of all streams, of a category, or of some types. The subscription returns the existing events and
   * then each new one, every event once. The events of one stream arrive in their order. In memory and on a file, the events
   * of all streams arrive in the order of their appends.
   *
   * Every event has a `checkpoint`. Store the checkpoint of the last event that you have processed, and pass it as `after`
   * the next time. The subscription does not return truncated events and events of deleted streams.
   *
   * @param feed - `{ all: true }`, or a `category`, or `types`; a place to start after; and a signal that ends the
   * subscription.
   * @returns The events, for `for await`. You can iterate over them once.
   * @throws {@link SillokError} `invalid_checkpoint`, `invalid_category`, `invalid_event_type`, or `invalid_parameter`,
   * whose `field` names the option.
   *
   * @example
   * ```ts
   * import { EventStore } from "sillok";
   *
   * const store = new EventStore();
   * await store.append("account-1", { type: "Opened" });
   * await store.append("order-7", { type: "Placed" });
   * for await (const event of store.subscribe({ category: "account" })) {
   *   console.log(event.stream, event.type); // account-1 Opened // account-2 Opened
   *   if (event.stream === "account-2") break;
   *   await store.append("account-2", { type: "Opened" });
   * }
   * ```
   */
  subscribe<E extends NewEvent = Events>(
    feed: SubscribeAllOptions,
  ): AsyncGenerator<FeedEvent<E>, void, undefined>;

  /**
   * Reads the events of all streams, in the order in which {@link Store.subscribe} returns them. The read ends with the last
   * event that exists when it starts. An event that was appended to a server shortly before may not have reached the
   * journal of the server yet.
   *
   * @param options - A place to start after, a category, types, and a limit.
   * @returns The events, for `for await`. You can iterate over them once.
   * @throws {@link SillokError} as a subscription does.
   *
   * @example
   * ```ts
   * import { EventStore } from "sillok";
   *
   * const store = new EventStore();
   * await store.append("account-1", { type: "Opened" });
   * await store.append("order-7", { type: "Placed" });
   * let after: string | undefined;
   * for await (const event of store.readAll({ types: ["Opened", "Placed"] })) {
   *   console.log(event.stream, event.version, event.type); // account-1 1 Opened // order-7 1 Placed
   *   after = event.checkpoint;
   * }
   * await store.append("account-1", { type: "Closed" });
   * for await (const { type } of store.readAll({ after })) console.log(type); // Closed
   * ```
   */
  readAll<E extends NewEvent = Events>(
    options?: ReadAllOptions,
  ): AsyncGenerator<FeedEvent<E>, void, undefined>;

  /**
   * Returns the end of the feed of all streams. To follow only new events, pass `after: "end"` to a subscription.
   *
   * @returns The checkpoint after the last event, and its position.
   *
   * @example
   * ```ts
   * import { EventStore } from "sillok";
   *
   * const store = new EventStore();
   * await store.append("account-1", [{ type: "Opened" }, { type: "Closed" }]);
   * const { checkpoint, position } = await store.end();
   * console.log(position); // 2
   * await store.append("order-7", { type: "Placed" });
   * for await (const { type } of store.readAll({ after: checkpoint })) console.log(type); // Placed
   * for await (const { type } of store.readAll({ after: { position: 1 } })) console.log(type); // Closed // Placed
   * ```
   */
  end(): Promise<FeedEnd>;

  /**
   * Lists the streams that have or had events and were not deleted, in the order of the bytes of their ids.
   *
   * @param options - A prefix of the ids, a category, an id to start after, and a limit.
   * @returns The streams, for `for await`. You can iterate over them once.
   * @throws {@link SillokError} `invalid_category`, or `invalid_parameter`, whose `field` names the option.
   *
   * @example
   * ```ts
   * import { EventStore } from "sillok";
   *
   * const store = new EventStore();
   * await store.append("account-2", [{ type: "Opened" }, { type: "Closed" }]);
   * await store.append("account-1", { type: "Opened" });
   * await store.append("order-7", { type: "Placed" });
   * for await (const { stream, version } of store.streams({ category: "account" })) {
   *   console.log(stream, version); // account-1 1 // account-2 2
   * }
   * ```
   */
  streams(options?: StreamsOptions): AsyncGenerator<StreamEntry, void, undefined>;

  /**
   * Verifies that the history of a stream is unchanged. Every commit has the SHA-256 of its content and of the hash
   * before it. The method computes all hashes again, from the first commit or from the version to which the stream was
   * truncated.
   *
   * The method cannot detect that the last events were removed. Store `head` elsewhere and compare it to detect that too.
   *
   * @param stream - The stream id.
   * @returns Whether the history is intact. If not, `broken` is the first wrong commit.
   * @throws {@link SillokError} `invalid_stream_id`.
   *
   * @example
   * ```ts
   * import { EventStore } from "sillok";
   *
   * const store = new EventStore();
   * await store.append("account-42", [{ type: "Opened" }, { type: "Frozen" }]);
   * const found = await store.verify("account-42");
   * console.log(found.intact, found.version, found.commits, found.head.length); // true 2 1 64
   * if (!found.intact) throw new Error(`commit ${found.broken.version}: ${found.broken.reason}`);
   * ```
   */
  verify(stream: string): Promise<Verification>;

  /**
   * Exports the commits of a stream. Each commit is a line of JSON with everything that its hash covers. Verify the lines
   * with {@link verifyCommits}, or with any implementation of SHA-256. `GET /v1/streams/{stream}/commits` returns the
   * same lines. The export leaves out a commit if one of its events was forgotten.
   *
   * @param stream - The stream id.
   * @returns The lines, without line ends, up to the version that the stream has when you take the first line.
   * @throws {@link SillokError} `invalid_stream_id`; `stream_truncated` or `stream_deleted` when commits of the export
   * were forgotten meanwhile.
   *
   * @example
   * ```ts
   * import { EventStore, verifyCommits } from "sillok";
   *
   * const store = new EventStore();
   * await store.append("account-42", [{ type: "Opened" }, { type: "Frozen" }]);
   * const { intact, version } = await verifyCommits(store.exportCommits("account-42"));
   * console.log(intact, version); // true 2
   * ```
   */
  exportCommits(stream: string): AsyncGenerator<string, void, undefined>;

  /**
   * Forgets the events of a stream before a version. You cannot undo it. The other events have the same versions as before,
   * and you can still verify their history. The storage removes a commit when its last event is forgotten; until then, the
   * events before `before` only cannot be read any more. A forgotten commit loses its idempotency key. The store removes many
   * commits page by page, and other calls run in between. If a truncation is interrupted, repeat it.
   *
   * @param stream - The stream id.
   * @param options - The version of the first event that the stream has afterwards.
   * @returns The versions that are left. If the events were forgotten before, the call changes nothing.
   * @throws {@link SillokError} `invalid_parameter` when `before` is beyond the stream's next version;
   * `invalid_stream_id`; `stream_deleted`.
   *
   * @example
   * ```ts
   * import { EventStore } from "sillok";
   *
   * const store = new EventStore();
   * for (const type of ["Opened", "Frozen", "Closed"]) await store.append("account-42", { type });
   * const { firstVersion, version } = await store.truncate("account-42", { before: 3 });
   * console.log(firstVersion, version); // 3 3
   * for await (const event of store.read("account-42")) console.log(event.type); // Closed
   * ```
   */
  truncate(stream: string, options: TruncateOptions): Promise<TruncateResult>;

  /**
   * Deletes a stream. You cannot undo it: the store removes its events, a read is an error, and every later append is
   * refused. The store removes many commits page by page, and other calls run in between. If a deletion is interrupted,
   * repeat it. A second deletion changes nothing. You can also delete a stream without events: later appends are refused.
   *
   * @param stream - The stream id.
   * @throws {@link SillokError} `invalid_stream_id`.
   *
   * @example
   * ```ts
   * import { EventStore } from "sillok";
   *
   * const store = new EventStore();
   * await store.append("account-42", { type: "Opened" });
   * await store.delete("account-42");
   * const refused = await store.append("account-42", { type: "Opened" }).catch((error) => error);
   * console.log(refused.code); // stream_deleted
   * ```
   */
  delete(stream: string): Promise<void>;
}
