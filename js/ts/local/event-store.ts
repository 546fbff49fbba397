/// <reference lib="esnext.disposable" preserve="true" />

import { RemoteEventStore } from "../remote/event-store.js";
import { Database } from "../sqlite/database.js";
import { wantedOpening } from "../sqlite/open-options.js";
import { SillokError } from "../store/errors.js";
import type {
  AggregateId,
  AppendResult,
  FeedEvent,
  NewEvent,
  RecordedEvent,
  SavedEvent,
  StreamEntry,
  TruncateResult,
  Verification,
} from "../store/events.js";
import { writeJson } from "../store/json.js";
import {
  type AppendOptions,
  checkOptions,
  type ConnectOptions,
  type OpenOptions,
  type ReadAllOptions,
  type ReadOptions,
  type StreamsOptions,
  type SubscribeAllOptions,
  type SubscribeOptions,
  type TruncateOptions,
} from "../store/options.js";
import type { Store } from "../store/store.js";
import { listStreams } from "./directory.js";
import { setEngineOf } from "./engine-of.js";
import { LocalEngine } from "./engine.js";
import { readFeed, subscribeFeed } from "./feed.js";
import { exportStream, readStream } from "./read.js";
import { savedEvents } from "./saved-events.js";
import { subscribeStream } from "./subscribe.js";

const APPEND_OPTIONS = [
  "expectedVersion",
  "idempotencyKey",
] as const satisfies (keyof AppendOptions)[];
const TRUNCATE_OPTIONS = ["before"] as const satisfies (keyof TruncateOptions)[];

/**
 * Keeps events: in memory, for as long as it lives, in Node, in a browser and in a Worker; or in a file, in Node, when
 * it was opened by {@link EventStore.open}. What was written is never altered: events go in as copies and come out as
 * copies.
 *
 * {@link EventStore.append} and {@link EventStore.read} work with streams and versions, and answer with promises;
 * {@link EventStore.saveEvent} and {@link EventStore.findEventsByAggregateId} take any object and answer at once.
 * Both see the same events: the events of aggregate `"42"` are the stream `"42"`.
 *
 * Values go through JSON. What JSON would lose without a word is refused with `invalid_event`, whose `field` says
 * where it is: NaN and the infinities, BigInts, functions, symbols, `undefined` in an array, a `Map`, a `Set` and
 * other objects that are neither arrays nor records of fields, unless they have a `toJSON`. A field that is
 * `undefined` is left out, an instance of a class is kept as its fields. Values may be 1,000 levels deep.
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
export class EventStore implements Store {
  readonly #engine: LocalEngine;

  /** A store in memory, without events. */
  constructor();
  constructor(engine: unknown = new LocalEngine()) {
    if (!(engine instanceof LocalEngine)) {
      const detail = "new EventStore() takes nothing; EventStore.open(path) opens a file";
      throw new SillokError({ code: "invalid_parameter", detail, field: "path" });
    }
    this.#engine = engine;
    setEngineOf(this, engine);
  }

  /**
   * Opens a store in a SQLite file, which is made when there is none. In Node from 22.13 on, which may print that its
   * SQLite is experimental, in Deno 2 and in Bun 1.
   *
   * An append that was answered is on disk: it survives a crash of the program and of the machine. SQLite keeps the
   * newest events in files of the same name with `-wal` and `-shm` added: they belong to the store, copy them with it.
   *
   * Several processes may use one file. While another one has it locked, a call waits for up to `busyTimeout` and is then
   * refused with `storage_busy`; nothing was written, and you can make the call again. Other work of the program goes on
   * meanwhile, and what you append stays in order. Only what answers at once keeps the whole program waiting:
   * {@link EventStore.saveEvent}, {@link EventStore.findEventsByAggregateId}, {@link EventGateway.register} and this method.
   *
   * Do not delete, move or replace the file while it is open. If that happens, every call is refused with `storage_failed`:
   * what is written to a file that is gone is lost. On Windows the system itself does not allow it.
   *
   * @param path - The name of the file.
   * @param options - How long to wait for others, and whether to open the file only to read it.
   * @returns A store like any other.
   * @throws {@link SillokError} `storage_failed` when the file cannot be opened or is no database; `storage_read_only`
   * when it can only be read and `readOnly` is not set; `storage_busy`; `unsupported_platform` where there are no files;
   * `invalid_parameter` when the path is no text, or an option is not what it should be.
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
  static open(path: string, options: OpenOptions = {}): EventStore {
    return new Opened(new LocalEngine(Database.open(path, wantedOpening(options))));
  }

  /**
   * Connects to a deployed Sillok. Nothing is sent before something is asked of the store.
   *
   * @param url - The server's address, without `/v1`.
   * @param options - The token, what sends the requests, and how often they are repeated.
   * @returns A store with the same methods, but for those that answer at once.
   * @throws {@link SillokError} `invalid_parameter` when the address or an option is not what it should be.
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
  static connect(
    url: string | { readonly href: string },
    options: ConnectOptions = {},
  ): RemoteEventStore {
    return new RemoteEventStore(url, options);
  }

  async append<E extends NewEvent = NewEvent>(
    stream: string,
    events: E | readonly E[],
    options: AppendOptions = {},
  ): Promise<AppendResult> {
    checkOptions(options, APPEND_OPTIONS);
    const { text } = writeJson(events, Array.isArray(events) ? "events" : "");
    const { expectedVersion, idempotencyKey } = options;
    return this.#engine.append(stream, text, expectedVersion, idempotencyKey);
  }

  read<E extends NewEvent = NewEvent>(
    stream: string,
    options: ReadOptions = {},
  ): AsyncGenerator<RecordedEvent<E>, void, undefined> {
    return readStream<E>(this.#engine, stream, options);
  }

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
      ? subscribeFeed<E>(this.#engine, from)
      : subscribeStream<E>(this.#engine, from, options);
  }

  readAll<E extends NewEvent = NewEvent>(
    options: ReadAllOptions = {},
  ): AsyncGenerator<FeedEvent<E>, void, undefined> {
    return readFeed<E>(this.#engine, options);
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

  /**
   * Closes the store, and its file if it has one; a store in memory loses its events. Whatever is asked of it
   * afterwards is refused with `storage_failed`. To close it once more does nothing.
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

  /** The same as {@link EventStore.close}, for `using store = EventStore.open("bank.db")`. */
  [Symbol.dispose](): void {
    this.close();
  }

  /**
   * Saves an event: any object with an `aggregateId`. It comes back from
   * {@link EventStore.findEventsByAggregateId} with every field it has now, a `Date` as a `Date`; changing the
   * object afterwards changes nothing in the store.
   *
   * @param event - The event. Its type is its field `type`, when that is a string that can be one.
   * @throws {@link SillokError} `invalid_event` when it is not an object, or holds what JSON cannot carry;
   * `invalid_stream_id` when its `aggregateId` is neither a finite number nor a string of 1 to 200 bytes without
   * control characters; `commit_too_large` above 1 MiB, to which the places of the event's Dates count too.
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
   * The events of an aggregate, in the order in which they were saved: fresh copies, the caller's to change.
   *
   * An event that was appended to the stream of this name stands among them as it was recorded, with an
   * `aggregateId`.
   *
   * @param id - The aggregate. The number 1 and the text "1" are two aggregates.
   * @returns All its events; none when nothing was saved for it.
   * @throws {@link SillokError} `invalid_stream_id` when no event could have this `aggregateId`; `stream_deleted` when
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

/** The store by its constructor's second form, which is no one else's business. */
const Opened = EventStore as unknown as new (engine: LocalEngine) => EventStore;
