/// <reference lib="esnext.disposable" preserve="true" />

import { RemoteAggregateStore } from "../remote/aggregate-store.js";
import { Database } from "../sqlite/database.js";
import { wantedOpening } from "../sqlite/open-options.js";
import type { Rejection } from "../store/errors.js";
import type {
  AggregateId,
  AppendedEvents,
  FeedEnd,
  FeedEvent,
  LocalAppendResult,
  NewEvent,
  SavedEvent,
  StreamEntry,
  StreamHead,
  TruncateResult,
  Verification,
} from "../store/events.js";
import { writeJson } from "../store/json.js";
import type { SentCommand, Timer } from "../store/pending.js";
import {
  type AppendOptions,
  checkOptions,
  type ConnectOptions,
  type OpenOptions,
  type ReadAllOptions,
  type ReadOptions,
  type StoreOptions,
  type StreamAppend,
  type StreamsOptions,
  type SubscribeAllOptions,
  type SubscribeOptions,
  type TruncateOptions,
} from "../store/options.js";
import type {
  AggregateStore,
  AnyAggregate,
  CommandOutcome,
  ExecuteOptions,
  ExecuteResult,
  LoadedState,
  LoadOptions,
} from "../aggregate/aggregate-store.js";
import type { CommandOf, EventOf, RejectionOf, StateOf } from "../aggregate/types.js";
import { accepted } from "../aggregate/command-input.js";
import { engineAppends } from "./append-all.js";
import { LocalCommands } from "./commands.js";
import { listStreams } from "./directory.js";
import { setEngineOf } from "./engine-of.js";
import { lateInput, LocalEngine } from "./engine.js";
import { LATE_INPUT } from "../aggregate/late-input.js";
import { readFeed, subscribeFeed } from "./feed.js";
import { ownClock } from "./own-clock.js";
import { exportStream, listPending, readStream, streamHead } from "./read.js";
import { savedEvents } from "./saved-events.js";
import { subscribeStream } from "./subscribe.js";

const APPEND_OPTIONS = [
  "expectedVersion",
  "idempotencyKey",
] as const satisfies (keyof AppendOptions)[];
const TRUNCATE_OPTIONS = ["before"] as const satisfies (keyof TruncateOptions)[];

/**
 * Stores events. A new store is in memory, in Node, in a browser or in a Worker; it loses its events when the program ends.
 * {@link EventStore.open} opens a store in a file, in Node, Deno and Bun. The store never alters an event: it copies events
 * when it writes them and when it returns them.
 *
 * {@link EventStore.append} and {@link EventStore.read} use streams and versions, and work with promises.
 * {@link EventStore.saveEvent} and {@link EventStore.findEventsByAggregateId} take any object and are synchronous.
 * Both use the same events: the events of aggregate `"42"` are the stream `"42"`.
 *
 * `Events` is the union of all events of the store, for the compiler only: `new EventStore<AccountEvent>()`, and the same for
 * {@link EventStore.open} and {@link EventStore.connect}. A misspelt field then does not compile. Default: any event.
 *
 * The store writes values as JSON. It refuses values that JSON would lose, with `invalid_event`, whose `field` names the
 * place: NaN and the infinities, BigInts, functions, symbols, `undefined` in an array, a `Map`, a `Set` and other objects
 * that are neither arrays nor records of fields, unless they have a `toJSON`. It leaves out a field that is `undefined`, and
 * writes an instance of a class as its fields. A value has at most 1,000 levels.
 *
 * @example
 * ```ts
 * import { EventStore } from "sillok";
 *
 * const store = new EventStore();
 * await store.append("account-42", { type: "Opened", data: { owner: "Ada" } });
 * await store.append("account-42", [
 *   { type: "Deposited", data: { amount: 100 } },
 *   { type: "Withdrawn", data: { amount: 30 } },
 * ]);
 * for await (const event of store.read("account-42")) {
 *   console.log(event.version, event.type); // 1 Opened // 2 Deposited // 3 Withdrawn
 * }
 * ```
 */
export class EventStore<Events extends NewEvent = NewEvent> implements AggregateStore<Events> {
  readonly #engine: LocalEngine;
  readonly #commands: LocalCommands;

  static {
    Object.defineProperty(this, LATE_INPUT, { value: lateInput });
  }

  /**
   * Makes a store in memory, without events.
   *
   * @param options - A clock of its own, for tests.
   * @throws {@link SillokError} `invalid_parameter` when an option is invalid.
   */
  constructor(options?: StoreOptions);
  constructor(options: unknown = {}) {
    const engine =
      options instanceof LocalEngine ? options : new LocalEngine(undefined, ownClock(options));
    this.#engine = engine;
    this.#commands = new LocalCommands(engine);
    setEngineOf(this, engine);
  }

  /**
   * Opens a store in a SQLite file. If the file does not exist, the method creates it. It works in Node 22.13 and later
   * (Node may print that its SQLite is experimental), in Deno 2 and in Bun 1.
   *
   * When an append returns, the commit is on disk: it survives a crash of the program and of the machine. SQLite writes the
   * newest events to files of the same name with `-wal` and `-shm` added. These files belong to the store: copy them with it.
   *
   * Several processes may use one file. While another process has locked the file, a call waits for up to `busyTimeout` and
   * then fails with `storage_busy`. Nothing was written; you can repeat the call. Meanwhile the rest of the program runs, and
   * your appends stay in their order. Only the synchronous methods block the whole program: {@link EventStore.saveEvent},
   * {@link EventStore.findEventsByAggregateId}, {@link EventGateway.register} and this method.
   *
   * Do not delete, move or replace the file while it is open. If that happens, every call fails with `storage_failed`,
   * because events in a removed file are lost. On Windows the system itself does not allow it.
   *
   * @param path - The name of the file.
   * @param options - How long to wait for a lock, and whether to open the file for reading only.
   * @returns A store with the same methods as every store.
   * @throws {@link SillokError} `storage_failed` when the file cannot be opened or is no database; `storage_read_only`
   * when the file is not writable and `readOnly` is not set; `storage_busy`; `unsupported_platform` on a platform without
   * files; `invalid_parameter` when the path is no string, or an option is invalid.
   *
   * @example
   * ```ts
   * import { EventStore } from "sillok";
   *
   * const store = EventStore.open("ledger.db");
   * await store.append("account-42", { type: "Opened" }, { expectedVersion: "no-stream" });
   * store.close();
   *
   * const later = EventStore.open("ledger.db");
   * for await (const event of later.read("account-42")) {
   *   console.log(event.version, event.type); // 1 Opened
   * }
   * later.close();
   * ```
   */
  static open<Events extends NewEvent = NewEvent>(
    path: string,
    options: OpenOptions = {},
  ): EventStore<Events> {
    return new Opened<Events>(new LocalEngine(Database.open(path, wantedOpening(options))));
  }

  /**
   * Connects to a deployed Sillok. The store sends its first request when you call a method of it.
   *
   * @param url - The URL of the server, without `/v1`.
   * @param options - The token, the function that sends the requests, and the number of retries.
   * @returns A store with the same methods, without the synchronous ones.
   * @throws {@link SillokError} `invalid_parameter` when the URL or an option is invalid.
   *
   * @example
   * ```ts
   * import { EventStore } from "sillok";
   *
   * const store = EventStore.connect("https://sillok.example.workers.dev", { token: "your-token" });
   * await store.append("account-1", { type: "Opened" }, { expectedVersion: "no-stream" });
   * for await (const event of store.read("account-1")) {
   *   console.log(event.version, event.type); // 1 Opened
   * }
   * ```
   */
  static connect<Events extends NewEvent = NewEvent>(
    url: string | { readonly href: string },
    options: ConnectOptions = {},
  ): RemoteAggregateStore<Events> {
    return new RemoteAggregateStore<Events>(url, options);
  }

  async append<E extends NewEvent = Events>(
    stream: string,
    events: AppendedEvents<E>,
    options: AppendOptions = {},
  ): Promise<LocalAppendResult> {
    checkOptions(options, APPEND_OPTIONS);
    const { text } = writeJson(events, Array.isArray(events) ? "events" : "");
    const { expectedVersion, idempotencyKey } = options;
    return this.#engine.append(stream, text, expectedVersion, idempotencyKey);
  }

  async appendAll<E extends NewEvent = Events>(
    appends: readonly StreamAppend<E>[],
  ): Promise<LocalAppendResult[]> {
    return this.#engine.appendAll(engineAppends(appends));
  }

  async head(stream: string): Promise<StreamHead> {
    return streamHead(await this.#engine.head(stream));
  }

  read<E extends NewEvent = Events>(
    stream: string,
    options: ReadOptions = {},
  ): AsyncGenerator<FeedEvent<E>, void, undefined> {
    return readStream<E>(this.#engine, stream, options);
  }

  subscribe<E extends NewEvent = Events>(
    stream: string,
    options?: SubscribeOptions,
  ): AsyncGenerator<FeedEvent<E>, void, undefined>;
  subscribe<E extends NewEvent = Events>(
    feed: SubscribeAllOptions,
  ): AsyncGenerator<FeedEvent<E>, void, undefined>;
  subscribe<E extends NewEvent>(
    from: string | SubscribeAllOptions,
    options: SubscribeOptions = {},
  ): AsyncGenerator<FeedEvent<E>, void, undefined> {
    const isFeed = typeof from === "object" && from !== null;
    return isFeed
      ? subscribeFeed<E>(this.#engine, from)
      : subscribeStream<E>(this.#engine, from, options);
  }

  readAll<E extends NewEvent = Events>(
    options: ReadAllOptions = {},
  ): AsyncGenerator<FeedEvent<E>, void, undefined> {
    return readFeed<E>(this.#engine, options);
  }

  async end(): Promise<FeedEnd> {
    const position = await this.#engine.end();
    return { checkpoint: String(position), position };
  }

  streams(options: StreamsOptions = {}): AsyncGenerator<StreamEntry, void, undefined> {
    return listStreams(this.#engine, options);
  }

  async verify(stream: string): Promise<Verification> {
    return this.#engine.verify(stream);
  }

  exportCommits(stream: string): AsyncGenerator<string, void, undefined> {
    return exportStream(this.#engine, stream);
  }

  async truncate(stream: string, options: TruncateOptions): Promise<TruncateResult> {
    checkOptions(options, TRUNCATE_OPTIONS);
    return this.#engine.truncate(stream, options.before);
  }

  async delete(stream: string): Promise<void> {
    await this.#engine.delete(stream);
  }

  async execute<A extends AnyAggregate>(
    stream: string,
    command: CommandOf<NoInfer<A>>,
    aggregate: A,
    options: ExecuteOptions = {},
  ): Promise<ExecuteResult<EventOf<A>>> {
    return accepted(await this.attempt(stream, command, aggregate, options));
  }

  async attempt<A extends AnyAggregate>(
    stream: string,
    command: CommandOf<NoInfer<A>>,
    aggregate: A,
    options: ExecuteOptions = {},
  ): Promise<CommandOutcome<EventOf<A>, RejectionOf<A>>> {
    const outcome = await this.#commands.attempt(stream, command, aggregate, options);
    return outcome as CommandOutcome<EventOf<A>, RejectionOf<A>>;
  }

  async load<A extends AnyAggregate>(
    stream: string,
    aggregate: A,
    options: LoadOptions = {},
  ): Promise<LoadedState<StateOf<A>>> {
    return this.#commands.load(stream, aggregate, options);
  }

  timers(stream: string): AsyncGenerator<Timer, void, undefined> {
    return listPending(this.#engine, stream, "timers");
  }

  async cancelTimer(stream: string, key: string): Promise<boolean> {
    return this.#engine.cancelPending(stream, "timers", key);
  }

  async retryTimer(stream: string, key: string): Promise<boolean> {
    return this.#engine.retryPending(stream, "timers", key);
  }

  sent(stream: string): AsyncGenerator<SentCommand, void, undefined> {
    return listPending(this.#engine, stream, "sent");
  }

  async retrySent(stream: string, id: string): Promise<boolean> {
    return this.#engine.retryPending(stream, "sent", id);
  }

  async rejectSent(stream: string, id: string, rejection: Rejection): Promise<boolean> {
    return this.#engine.rejectSent(stream, id, rejection);
  }

  async cancelSent(stream: string, id: string): Promise<boolean> {
    return this.#engine.cancelPending(stream, "sent", id);
  }

  /**
   * Closes the store, and its file if it has one. A store in memory loses its events. Every later call fails with
   * `storage_failed`. A second `close` does nothing.
   *
   * @example
   * ```ts
   * import { EventStore } from "sillok";
   *
   * const store = EventStore.open("closed.db");
   * store.close();
   * const refused = await store.append("account-42", { type: "Opened" }).catch((error) => error);
   * console.log(refused.code, refused.message); // storage_failed the store was closed
   * ```
   */
  close(): void {
    this.#engine.close();
  }

  /** Closes the store, for `using store = EventStore.open("bank.db")`. See {@link EventStore.close}. */
  [Symbol.dispose](): void {
    this.close();
  }

  /**
   * Saves an event: any object with an `aggregateId`. {@link EventStore.findEventsByAggregateId} returns it with all its
   * current fields, and a `Date` as a `Date`. A later change of the object changes nothing in the store.
   *
   * @param event - The event. Its field `type` is its type, if it is a valid event type.
   * @throws {@link SillokError} `invalid_event` when it is not an object, or has a value that JSON cannot represent;
   * `invalid_stream_id` when its `aggregateId` is neither a finite number nor a string of 1 to 200 bytes without
   * control characters; `commit_too_large` above 1 MiB. The places of the Dates in the event count too.
   *
   * @example
   * ```ts
   * import { EventStore } from "sillok";
   *
   * const store = new EventStore();
   * store.saveEvent({ aggregateId: "1", type: "Opened", at: new Date(0) });
   * const [event] = store.findEventsByAggregateId("1");
   * console.log(event?.at instanceof Date); // true
   * ```
   */
  saveEvent<E extends { readonly aggregateId: AggregateId }>(event: E): void {
    this.#engine.saveNow(writeJson(event, ""));
  }

  /**
   * Finds the events of an aggregate, in the order in which they were saved. They are new copies; you may change them.
   *
   * The result includes the events that were appended to the stream of this name: recorded events with an `aggregateId`.
   *
   * @param id - The id of the aggregate. The number 1 and the string "1" are two aggregates.
   * @returns All events of the aggregate; an empty array if there are none.
   * @throws {@link SillokError} `invalid_stream_id` when the id is not valid for an `aggregateId`; `stream_deleted` when
   * the stream of this name was deleted.
   *
   * @example
   * ```ts
   * import { EventStore } from "sillok";
   *
   * const store = new EventStore();
   * store.saveEvent({ aggregateId: "1", type: "Opened" });
   * store.saveEvent({ aggregateId: "2", type: "Opened" });
   * console.log(store.findEventsByAggregateId("1").length); // 1
   * ```
   */
  findEventsByAggregateId<E extends { aggregateId: AggregateId } = SavedEvent>(
    id: AggregateId,
  ): E[] {
    return savedEvents<E>(this.#engine.findNow(id));
  }
}

/** The constructor with an engine, which is internal. */
const Opened = EventStore as unknown as new <Events extends NewEvent>(
  engine: LocalEngine,
) => EventStore<Events>;
