import type { AnyAggregate } from "../aggregate/aggregate-store.js";
import type { AnyConsumer } from "../consumer/definition.js";
import { checkListener } from "../consumer/failures.js";
import type { ConsumerHandle, ProjectionHandle } from "../consumer/handles.js";
import type { AnyProcess } from "../consumer/process-types.js";
import type { Projection } from "../consumer/projection.js";
import { engineOf } from "../local/engine-of.js";
import type { LocalEngine } from "../local/engine.js";
import { SillokError } from "../store/errors.js";
import type {
  AggregateId,
  FeedEvent,
  NewEvent,
  RecordedEvent,
  SavedEvent,
} from "../store/events.js";
import { invalid } from "../store/invalid.js";
import {
  checkOptions,
  type ReplayOptions,
  type ReplayProgress,
  type RunOptions,
} from "../store/options.js";
import type { GatewayOptions } from "./gateway-options.js";
import { LocalHandle } from "./local-handle.js";
import { checkHandler, handOver, replay } from "./replay.js";
import { Registered } from "./registered.js";
import { until } from "./until.js";
import type { WorkLoop } from "./work-loop.js";

/** The source of the events of a gateway: an {@link EventStore}, or a substitute. */
export interface EventSource {
  /** Finds the events of an aggregate, the oldest first. */
  findEventsByAggregateId(id: AggregateId): Iterable<object>;
}

/** The receiver of the events of a gateway: an {@link EventHandler}, or a substitute. */
export interface EventSink<E extends object = SavedEvent> {
  /** Handles one event. */
  handleEvent(event: E): void;
}

/** No stream has this id, and so an append does not end the wait for it. */
const NO_STREAM = {};

/**
 * Connects a store with the handlers of its events. The gateway passes the events of an aggregate to a handler when you call
 * it. It also runs projections and reactors, which follow the store.
 *
 * @example
 * ```ts
 * import { EventGateway, EventHandler, EventStore } from "sillok";
 *
 * const store = new EventStore();
 * store.saveEvent({ aggregateId: "1", type: "Opened" });
 * store.saveEvent({ aggregateId: "2", type: "Opened" });
 * const gateway = new EventGateway(store, new EventHandler());
 * gateway.processEventsByAggregateId("1");
 * // prints: Event handled: { aggregateId: '1', type: 'Opened' }
 * ```
 */
export class EventGateway<E extends object = SavedEvent> {
  readonly #store: EventSource;
  readonly #handler: EventSink<E> | undefined;
  readonly #registered: Registered;

  /**
   * Makes a gateway between `store` and `handler`. The handler is optional.
   *
   * @param options - `onFailure`, which hears of failed attempts.
   * @throws {@link SillokError} `invalid_parameter` when the handler has no `handleEvent`, or an option is invalid.
   *
   * @example
   * ```ts
   * import { EventGateway, EventStore, reactor } from "sillok";
   *
   * const store = new EventStore();
   * const fragile = reactor("fragile", { on: { Opened: () => { throw new Error("no") } }, attempts: 1 });
   * const gateway = new EventGateway(store, undefined, {
   *   onFailure({ consumer, stream, version, next, error }) {
   *     console.log(consumer, stream, version, next, error.message); // fragile account-1 1 dead-letter no
   *   },
   * });
   * gateway.register(fragile);
   * await store.append("account-1", { type: "Opened" });
   * await gateway.catchUp();
   * ```
   */
  constructor(store: EventSource, handler?: EventSink<E>, options: GatewayOptions = {}) {
    if (handler !== undefined) checkHandler(handler);
    checkOptions(options, ["onFailure"]);
    this.#registered = new Registered(checkListener(options.onFailure));
    this.#store = store;
    this.#handler = handler;
  }

  /**
   * Registers projections, reactors, aggregates and processes. The store has the checkpoints, documents and dead letters of
   * consumers: in its file, or in memory. A consumer that was registered before continues at its checkpoint.
   *
   * The timers of an aggregate run only where it is registered, and so do the timers, sent commands and followed events of a
   * process. Register a process together with the aggregates to which it sends commands. A command to another aggregate fails
   * with `no_aggregate`.
   *
   * @param definitions - Results of {@link projection}, {@link reactor}, {@link aggregate} and {@link process}. No two consumers
   * and no two aggregates have the same name. A process that follows events is also a consumer.
   * @throws {@link SillokError} `invalid_consumer` when an argument is no definition, or its name is taken; `invalid_parameter`
   * when the store is not in this program; `invalid_checkpoint` when the `after` of a reactor is no checkpoint of the store.
   *
   * @example
   * ```ts
   * import { EventGateway, EventStore, projection } from "sillok";
   *
   * const store = new EventStore();
   * const count = projection<{ type: string }, number>("count", {
   *   on: (event, documents) => documents.put("all", (documents.get("all") ?? 0) + 1),
   * });
   * const gateway = new EventGateway(store).register(count);
   * await store.append("account-1", [{ type: "Opened" }, { type: "Closed" }]);
   * await gateway.catchUp();
   * console.log(await gateway.projection(count).get("all")); // 2
   * ```
   */
  register(...definitions: (AnyConsumer | AnyAggregate)[]): this {
    const engine = this.#engine();
    for (const definition of definitions) this.#registered.add(engine, definition);
    return this;
  }

  /**
   * Runs everything that is registered, and also what you register during the run. Every projection and reactor handles the
   * existing events and then each new one, whichever writer has appended it. Timers run when they are due, and sent commands are
   * delivered until they have an answer. The run continues until you abort the signal, and prevents the exit of a program in
   * Node, also if nothing is registered.
   *
   * Several programs may run the same definitions over one file. The documents are still correct, and each timer, sent command
   * and answer takes effect once. But each program may run a reactor's handler for the same event.
   *
   * @param options - A signal that ends the run.
   * @returns A promise. It settles when you have aborted the signal and the running work has ended.
   * @throws {@link SillokError} `storage_failed`, such as after the store is closed; `storage_busy` when the file was locked
   * for too long; `invalid_parameter`.
   *
   * @example
   * ```ts
   * import { EventGateway, EventStore, reactor } from "sillok";
   *
   * const [store, stop] = [new EventStore(), new AbortController()];
   * const gateway = new EventGateway(store);
   * gateway.register(
   *   reactor("greeter", {
   *     on: {
   *       Joined: (event) => {
   *         console.log(`welcome, ${event.stream}`); // welcome, member-1
   *         stop.abort();
   *       },
   *     },
   *   }),
   * );
   * const running = gateway.run({ signal: stop.signal });
   * await store.append("member-1", { type: "Joined" });
   * await running;
   * ```
   */
  async run(options: RunOptions = {}): Promise<void> {
    const engine = this.#engine();
    await until(options, async (stop) => {
      const runs: Promise<void>[] = [];
      const start = (runner: WorkLoop) => {
        const run = runner.run(stop.signal);
        // The failure of one runner ends all of them.
        run.catch(() => stop.abort());
        runs.push(run);
      };
      for (const runner of this.#registered.all()) start(runner);
      this.#registered.running.add(start);
      try {
        // The wait prevents the exit of the program, also without a runner. It fails when the store is closed.
        while (!stop.signal.aborted) {
          await engine.changed(await engine.mark(), stop.signal, NO_STREAM);
        }
      } finally {
        this.#registered.running.delete(start);
        stop.abort();
        await Promise.allSettled(runs);
      }
      await Promise.all(runs);
    });
  }

  /**
   * Runs everything that is due. Consumers handle or give up every event, also the events that others append meanwhile. Due
   * timers run, and sent commands get their answers. It waits for the retries of failed attempts, but not for timers that are due
   * later. It does not run a paused or stopped consumer. Use it in tests, in scripts, and in programs that do not call
   * {@link EventGateway.run}.
   *
   * If the store has a clock of its own, it does not wait for retries either: call it again when the clock has moved.
   *
   * @param options - A signal that ends it earlier.
   * @returns The time at which the next timer or attempt is due, in milliseconds since 1970; undefined if there is none.
   * @throws {@link SillokError} `storage_failed`, `storage_busy`, `invalid_parameter`.
   *
   * @example
   * ```ts
   * import { EventGateway, EventStore, reactor } from "sillok";
   *
   * const store = new EventStore();
   * const billing = reactor("billing", {
   *   category: "order",
   *   on: { Placed: (event, { append }) => append(`invoice-${event.id}`, { type: "Issued" }) },
   * });
   * const gateway = new EventGateway(store).register(billing);
   * await store.append("order-1", { type: "Placed", id: "p1" });
   * await gateway.catchUp();
   * for await (const event of store.read("invoice-p1")) console.log(event.type); // Issued
   * ```
   */
  async catchUp(options: RunOptions = {}): Promise<number | undefined> {
    const engine = this.#engine();
    let next: number | undefined;
    await until(options, async ({ signal }) => {
      for (;;) {
        const [{ own }, end] = [await engine.mark(), await engine.end()];
        const rests = await Promise.all(
          this.#registered.all().map((runner) => runner.rest(signal)),
        );
        // A runner may have left work to another one.
        if (
          !signal.aborted &&
          (own !== (await engine.mark()).own || end !== (await engine.end()))
        ) {
          continue;
        }
        const times = rests.filter((time) => time !== undefined);
        if (times.length > 0) next = Math.min(...times);
        return;
      }
    });
    return next;
  }

  /**
   * Returns a handle of a registered projection, for its documents and its status.
   *
   * @param projection - The projection, or its name.
   * @throws {@link SillokError} `consumer_not_found` when no projection with this name is registered; `invalid_parameter`
   * when the argument is neither a projection nor a name.
   *
   * @example
   * ```ts
   * import { EventGateway, EventStore, projection } from "sillok";
   *
   * const store = new EventStore();
   * const types = projection<{ type: string }, string[]>("types", {
   *   on: ({ stream, type }, documents) => documents.put(stream, [...(documents.get(stream) ?? []), type]),
   * });
   * const documents = new EventGateway(store).register(types).projection(types);
   * const min = await store.append("account-1", { type: "Opened" });
   * console.log(await documents.get("account-1", { min })); // [ 'Opened' ]
   * ```
   */
  projection<P extends NewEvent, Document>(
    projection: Projection<P, Document>,
  ): ProjectionHandle<Document>;
  projection(projection: string): ProjectionHandle;
  projection(projection: string | { readonly name: string }): ProjectionHandle {
    return this.#handle("projection", projection, "projection");
  }

  /**
   * Returns a handle of a registered projection, reactor or process, for its status, its dead letters and its operation.
   *
   * @param consumer - The consumer, or its name.
   * @throws {@link SillokError} `consumer_not_found` when no consumer with this name is registered; `invalid_parameter` when
   * the argument is neither a consumer nor a name.
   *
   * @example
   * ```ts
   * import { EventGateway, EventStore, reactor } from "sillok";
   *
   * const store = new EventStore();
   * const fragile = reactor("fragile", { on: { Opened: () => { throw new Error("no") } }, attempts: 1 });
   * const gateway = new EventGateway(store).register(fragile);
   * await store.append("account-1", { type: "Opened" });
   * await gateway.catchUp();
   * for await (const letter of gateway.consumer("fragile").deadLetters()) {
   *   console.log(letter.event.stream, letter.error); // account-1 Error: no
   * }
   * ```
   */
  consumer(consumer: string | AnyConsumer | AnyProcess): ConsumerHandle {
    return this.#handle("consumer", consumer);
  }

  /**
   * Passes existing events to a handler, one after the other: of all streams, of a category or of one stream. The replay
   * waits for a promise that the handler returns. An error of the handler ends the replay and reaches the caller. Events of a
   * named stream have the form of {@link Store.read}; other events also have their place in the feed.
   *
   * @param handler - The handler. The replay stores no checkpoint.
   * @param options - The stream, category or types of the events, a function for the progress, and a signal.
   * @returns The progress at the end.
   * @throws {@link SillokError} `invalid_parameter`, `invalid_category`, `invalid_event_type`, `invalid_stream_id`.
   *
   * @example
   * ```ts
   * import { EventGateway, EventHandler, EventStore, type RecordedEvent } from "sillok";
   *
   * class Counter extends EventHandler<RecordedEvent> {
   *   count = 0;
   *   override handleEvent() {
   *     this.count += 1;
   *   }
   * }
   * const store = new EventStore();
   * for (const stream of ["account-1", "order-1", "account-2"]) {
   *   await store.append(stream, { type: "Opened" });
   * }
   * const counter = new Counter();
   * await new EventGateway(store).replay(counter, { category: "account" });
   * console.log(counter.count); // 2
   * ```
   */
  replay<R extends NewEvent = NewEvent>(
    handler: EventSink<FeedEvent<R>>,
    options?: ReplayOptions & { readonly stream?: undefined },
  ): Promise<ReplayProgress>;
  /** Passes the events of one stream, without a place in the feed. Also for options whose type does not exclude a stream. */
  replay<R extends NewEvent = NewEvent>(
    handler: EventSink<RecordedEvent<R>>,
    options: ReplayOptions,
  ): Promise<ReplayProgress>;
  async replay<R extends NewEvent>(
    handler: EventSink<RecordedEvent<R>>,
    options: ReplayOptions = {},
  ): Promise<ReplayProgress> {
    return replay(this.#engine(), handler, options);
  }

  /**
   * Passes every event of the aggregate to the handler, the oldest first, one after the other.
   *
   * The call leaves out events that are saved meanwhile, also by the handler. An error of the handler ends the call and
   * reaches the caller; the handler does not get the later events.
   *
   * @param id - The id of the aggregate.
   * @throws {@link SillokError} `invalid_stream_id` when the id is not valid for an `aggregateId`; `invalid_parameter` when
   * the gateway has no handler, or its store has no `findEventsByAggregateId`, as a remote store.
   *
   * @example
   * ```ts
   * import { EventGateway, EventStore } from "sillok";
   *
   * const store = new EventStore();
   * store.saveEvent({ aggregateId: "1", type: "Opened" });
   * const seen: unknown[] = [];
   * const handler = { handleEvent: (event: { type?: unknown }) => void seen.push(event.type) };
   * new EventGateway(store, handler).processEventsByAggregateId("1");
   * console.log(seen.join()); // Opened
   * ```
   */
  processEventsByAggregateId(id: AggregateId): void {
    if (this.#handler === undefined)
      throw invalid("handler", "must be passed to the constructor of the gateway");
    const store = this.#store as EventSource | null | undefined;
    if (typeof store?.findEventsByAggregateId !== "function") {
      throw invalid(
        "store",
        "must be an EventStore in this program, or have a method `findEventsByAggregateId`",
      );
    }
    const events = store.findEventsByAggregateId(id) as Iterable<E>;
    for (const handled of handOver(events, this.#handler)) void handled;
  }

  #engine(): LocalEngine {
    const engine = engineOf(this.#store);
    if (engine === undefined) throw invalid("store", "must be an EventStore in this program");
    return engine;
  }

  #handle(
    field: string,
    consumer: string | { readonly name: string } | null | undefined,
    kind?: "projection",
  ): LocalHandle {
    const name: unknown = typeof consumer === "string" ? consumer : consumer?.name;
    if (typeof name !== "string") throw invalid(field, `must be a ${field}, or its name`);
    const runner = this.#registered.consumer(name);
    if (runner === undefined || (kind !== undefined && runner.definition.kind !== kind)) {
      const detail = `no ${kind ?? "consumer"} with the name ${JSON.stringify(name)} is registered`;
      throw new SillokError({ code: "consumer_not_found", detail });
    }
    return new LocalHandle(this.#engine(), runner);
  }
}
