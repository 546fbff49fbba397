import type {
  AppendResult,
  FeedEvent,
  NewEvent,
  RecordedEvent,
  StreamEntry,
  TruncateResult,
  Verification,
} from "./events.js";
import type {
  AppendOptions,
  ReadAllOptions,
  ReadOptions,
  StreamsOptions,
  SubscribeAllOptions,
  SubscribeOptions,
  TruncateOptions,
} from "./options.js";

/**
 * What every store does, wherever it keeps its events: {@link EventStore} in memory or in a file,
 * {@link RemoteEventStore} on a server, or one of your own. Whether one of your own does it right is for the contract
 * in `sillok/testing` to say.
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
export interface Store {
  /**
   * Appends one event, or an array of them as one commit: all are written or none.
   *
   * The events are copied before this returns. A `Date` in them becomes its ISO text, as with `JSON.stringify`.
   *
   * @param stream - Which stream: 1 to 200 bytes of UTF-8 without control characters, such as `account-42`.
   * @param events - One event or 1 to 1,024 of them; as JSON, with their ids, they are at most 1 MiB together.
   * @param options - What must be true of the stream, and a name under which the append can be repeated.
   * @returns The versions and the time of the events. Errors always reject, they are never thrown at once.
   * @throws {@link SillokError} `wrong_expected_version`, with `stream`, `expected` and `actual`: nothing was
   * written, see {@link isWrongExpectedVersion}.
   * @throws {@link SillokError} `invalid_stream_id`, `invalid_event`, `invalid_event_type`, `invalid_event_id`,
   * `invalid_metadata`, `metadata_too_large`, `no_events`, `too_many_events`, `commit_too_large`,
   * `invalid_expected_version`, `invalid_idempotency_key`, `invalid_parameter`: the input is refused, `field` says
   * which part of it, and nothing was written.
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
  append<E extends NewEvent = NewEvent>(
    stream: string,
    events: E | readonly E[],
    options?: AppendOptions,
  ): Promise<AppendResult>;

  /**
   * Reads the events of a stream one after the other, up to the version that the stream has when the first is
   * asked for; what is appended meanwhile is left for the next read. A stream that was never written has no
   * events. At most a page, 1,000 events or about 4 MiB, is held at a time.
   *
   * A read begins with the first event that is still shown, and then gives every event of its range or ends with an
   * error: what is forgotten meanwhile is never left out in silence.
   *
   * @param stream - Which stream.
   * @param options - Which of its events, and in which order; looked at when the first event is asked for.
   * @returns What `for await` takes; it can be gone through once.
   * @throws {@link SillokError} `invalid_stream_id`, `invalid_event_type`, or `invalid_parameter`, whose `field` names
   * the option, when the first event is asked for.
   * @throws {@link SillokError} `stream_deleted` when the stream was deleted, `stream_truncated` when it was truncated
   * before the read came so far.
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
  read<E extends NewEvent = NewEvent>(
    stream: string,
    options?: ReadOptions,
  ): AsyncGenerator<RecordedEvent<E>, void, undefined>;

  /**
   * Follows a stream: the events there are, and then each as it is appended, every one once and in order, by whomever
   * it was appended. Events that were truncated do not come: a subscription that is behind goes on with the first that
   * is still shown. A page, at most 1,000 events or about 4 MiB, is held at a time, however slowly you take them.
   *
   * It ends when you leave the loop, call `return`, or abort the signal; none of these is an error. Until then it waits
   * for events, and while it does, a program in Node goes on running. On a file, what another process appends comes
   * within about a tenth of a second.
   *
   * @param stream - Which stream; it need not have events yet.
   * @param options - From where on, events of which type, and what ends it; looked at when the first event is asked for.
   * @returns What `for await` takes; it can be gone through once.
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
  subscribe<E extends NewEvent = NewEvent>(
    stream: string,
    options?: SubscribeOptions,
  ): AsyncGenerator<RecordedEvent<E>, void, undefined>;

  /**
   * Follows the events of all streams, or of those of a category, or of some types alone: the events there are, and then
   * each as it is appended, every one once. The events of one stream come in their order; in memory and on a file those
   * of all streams do.
   *
   * Every event has a `checkpoint`. Keep that of the last event that you have dealt with, and begin with it as `after`
   * the next time. Of events that were truncated and streams that were deleted nothing comes.
   *
   * @param feed - `{ all: true }`, or a `category`, or `types`; from where on; and what ends it.
   * @returns What `for await` takes; it can be gone through once.
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
  subscribe<E extends NewEvent = NewEvent>(
    feed: SubscribeAllOptions,
  ): AsyncGenerator<FeedEvent<E>, void, undefined>;

  /**
   * Reads the events of all streams one after the other, as {@link Store.subscribe} gives them, and ends with the last
   * that there is when it begins. Those that were appended to a server just before may not have reached its journal
   * yet.
   *
   * @param options - From where on, of which category and types, and how many at most.
   * @returns What `for await` takes; it can be gone through once.
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
  readAll<E extends NewEvent = NewEvent>(
    options?: ReadAllOptions,
  ): AsyncGenerator<FeedEvent<E>, void, undefined>;

  /**
   * Lists the streams that have or had events and were not deleted, in the order of the bytes of their names.
   *
   * @param options - With what their names begin, of which category, after which name, and how many at most.
   * @returns What `for await` takes; it can be gone through once.
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
   * Proves that the history of a stream is as it was written. Every commit carries the SHA-256 of its content and of
   * the hash before it; this computes them anew, from the first commit or from where the stream was truncated.
   *
   * That the last events were removed cannot be seen from what remains. Note `head` elsewhere to see that too.
   *
   * @param stream - Which stream.
   * @returns Whether the history is intact, and otherwise which commit is `broken`.
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
   * Hands out the commits of a stream, each as a line of JSON with everything that its hash covers, so that whoever has
   * them can prove them by {@link verifyCommits}, or by any SHA-256. The lines are those of
   * `GET /v1/streams/{stream}/commits`. A commit of which an event was forgotten is not among them.
   *
   * @param stream - Which stream.
   * @returns The lines, without line ends, up to the version that the stream has when the first is asked for.
   * @throws {@link SillokError} `invalid_stream_id`; `stream_truncated` or `stream_deleted` when commits that were still
   * to come were forgotten meanwhile.
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
   * Forgets the events of a stream before a version, for good. The others keep their versions, and their history can
   * still be verified. Events that were appended together leave the storage when the last of them is forgotten; until
   * then those before `before` can only no longer be read. Forgotten commits take their idempotency keys with them. Many
   * commits are removed page by page, and others have their turn in between; repeat a truncation that was cut off.
   *
   * @param stream - Which stream.
   * @param options - The version before which events are forgotten.
   * @returns What is left. A truncation before what was forgotten already changes nothing.
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
   * Deletes a stream for good: its events are gone, to read it is an error, and nothing can be appended to it again. Many
   * commits are removed page by page, and others have their turn in between; repeat a deletion that was cut off. To delete it
   * once more changes nothing; to delete a stream that was never written keeps it from ever being.
   *
   * @param stream - Which stream.
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
