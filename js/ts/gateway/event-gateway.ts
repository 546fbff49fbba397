import { type AnyConsumer, invalidConsumer, isConsumer } from "../consumer/definition.js";
import type { ConsumerHandle, ProjectionHandle } from "../consumer/handles.js";
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
  checkSignal,
  type ReplayOptions,
  type ReplayProgress,
  type RunOptions,
} from "../store/options.js";
import { sleep } from "../time/timers.js";
import { LocalHandle } from "./local-handle.js";
import { checkHandler, handOver, replay } from "./replay.js";
import { Runner } from "./runner.js";

/** Where a gateway finds events: an {@link EventStore}, or a stand-in. */
export interface EventSource {
  /** The events of an aggregate, the oldest first. */
  findEventsByAggregateId(id: AggregateId): Iterable<object>;
}

/** Who a gateway hands events to: an {@link EventHandler}, or a stand-in. */
export interface EventSink<E extends object = SavedEvent> {
  /** Handles one event. */
  handleEvent(event: E): void;
}

const RUN_OPTIONS = ["signal"] as const satisfies (keyof RunOptions)[];
/** No stream has this as its name, so that who waits for it is not woken by every append. */
const NO_STREAM = {};

/**
 * Connects a store and those who handle its events: a handler, which is handed the events of an aggregate when it is
 * told to, and projections and reactors, which follow the store.
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
  readonly #runners = new Map<string, Runner>();
  /** What is told of each consumer that is registered while {@link EventGateway.run} goes on. */
  readonly #running = new Set<(runner: Runner) => void>();

  /**
   * A gateway that takes events from `store` to `handler`, if there is one, and to whomever is registered.
   *
   * @throws {@link SillokError} `invalid_parameter` when the handler has no `handleEvent`.
   */
  constructor(store: EventSource, handler?: EventSink<E>) {
    if (handler !== undefined) checkHandler(handler);
    this.#store = store;
    this.#handler = handler;
  }

  /**
   * Registers projections and reactors. What they know, their checkpoints, documents and dead letters, is kept with the
   * store: in its file, or as long as the store is in memory. One that was registered before goes on where it was.
   *
   * @param consumers - What {@link projection} and {@link reactor} made, each of another name.
   * @throws {@link SillokError} `invalid_consumer` when one is no consumer, or its name is taken; `invalid_parameter`
   * when the store is not in this program; `invalid_checkpoint` when a reactor is to begin after what is none of the store's.
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
  register(...consumers: AnyConsumer[]): this {
    const engine = this.#engine();
    for (const consumer of consumers) {
      if (!isConsumer(consumer)) {
        const detail = "what is registered must be made by projection() or reactor()";
        throw new SillokError({ code: "invalid_consumer", detail, field: "consumers" });
      }
      if (this.#runners.has(consumer.name)) {
        throw invalidConsumer(
          "name",
          `is taken: there is ${JSON.stringify(consumer.name)} already`,
        );
      }
      const runner = new Runner(engine, consumer);
      this.#runners.set(consumer.name, runner);
      for (const start of this.#running) start(runner);
    }
    return this;
  }

  /**
   * Runs what was registered, and what is registered while it runs: every projection and reactor handles what there is,
   * and then each event as it is appended, by whomever it was appended. Until the signal is given it goes on, and a
   * program in Node with it, also while nothing is registered. Several processes may run the same consumers over one
   * file: documents stay right, and a reactor may handle an event in each.
   *
   * @param options - What ends it.
   * @returns A promise that is settled when the signal is given and what was under way is done.
   * @throws {@link SillokError} `storage_failed`, such as when the store is closed; `storage_busy` when its file was locked
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
    await this.#until(options, async (stop) => {
      const runs: Promise<void>[] = [];
      const start = (runner: Runner) => {
        const run = runner.run(stop.signal);
        // One that fails ends all.
        run.catch(() => stop.abort());
        runs.push(run);
      };
      for (const runner of this.#runners.values()) start(runner);
      this.#running.add(start);
      try {
        // To wait keeps the program running, also where nobody else waits, and fails when the store is closed.
        while (!stop.signal.aborted) {
          await engine.changed(await engine.mark(), stop.signal, NO_STREAM);
        }
      } finally {
        this.#running.delete(start);
        stop.abort();
        await Promise.allSettled(runs);
      }
      await Promise.all(runs);
    });
  }

  /**
   * Lets everything that was registered handle what there is, also what reactors append meanwhile, and waits for it:
   * afterwards each event was handled or given up. What fails is waited for as long as it is attempted again; what is
   * paused or stopped is left as it is. For tests, scripts and whatever does not {@link EventGateway.run}.
   *
   * @param options - What ends it before.
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
  async catchUp(options: RunOptions = {}): Promise<void> {
    const engine = this.#engine();
    await this.#until(options, async ({ signal }) => {
      for (;;) {
        const end = await engine.end();
        await Promise.all([...this.#runners.values()].map((runner) => rested(runner, signal)));
        if (signal.aborted || (await engine.end()) === end) return;
      }
    });
  }

  /**
   * A projection that was registered: its documents, and how it does.
   *
   * @param projection - The projection, or its name.
   * @throws {@link SillokError} `consumer_not_found` when no projection of this name was registered; `invalid_parameter`
   * when it is neither.
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
   * A projection or a reactor that was registered: how it does, its dead letters, and what an operator can tell it.
   *
   * @param consumer - The consumer, or its name.
   * @throws {@link SillokError} `consumer_not_found` when nothing of this name was registered; `invalid_parameter` when
   * it is neither.
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
  consumer(consumer: string | AnyConsumer): ConsumerHandle {
    return this.#handle("consumer", consumer);
  }

  /**
   * Hands events that there are to a handler, one after the other: of all streams, of a category or of one stream. A
   * handler that returns a promise is waited for. An error that it throws ends the replay and reaches the caller. Events
   * of a stream that is named come as {@link Store.read} gives them, all others with the place that they have in the feed.
   *
   * @param handler - Who handles them. Nothing is kept of how far it has come.
   * @param options - Which events, and whom to tell of the progress.
   * @returns How far it has come.
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
  /** Hands over the events of one stream, or of what only the options' value says: without a place in the feed. */
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
   * Hands every event of the aggregate to the handler, the oldest first, one after the other.
   *
   * Events that are saved meanwhile, also by the handler, are left for the next time. An error that the handler
   * throws ends it and reaches the caller; the events after that one are not handled.
   *
   * @param id - The aggregate.
   * @throws {@link SillokError} `invalid_stream_id` when no event could have this `aggregateId`; `invalid_parameter` when
   * the gateway has no handler, or its store cannot be asked so: one that is on a server cannot.
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
    if (this.#handler === undefined) throw invalid("handler", "was not given to the gateway");
    const store = this.#store as EventSource | null | undefined;
    if (typeof store?.findEventsByAggregateId !== "function") {
      throw invalid(
        "store",
        "must be an EventStore in this program, or have its `findEventsByAggregateId`",
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
    const runner = this.#runners.get(name);
    if (runner === undefined || (kind !== undefined && runner.definition.kind !== kind)) {
      const detail = `no ${kind ?? "consumer"} of the name ${JSON.stringify(name)} is registered`;
      throw new SillokError({ code: "consumer_not_found", detail });
    }
    return new LocalHandle(this.#engine(), runner);
  }

  /** Does `work` until it is done, or the caller's signal is given. */
  async #until(options: RunOptions, work: (stop: AbortController) => Promise<void>): Promise<void> {
    checkOptions(options, RUN_OPTIONS);
    checkSignal(options.signal);
    const stop = new AbortController();
    const end = () => stop.abort();
    const { signal } = options;
    if (signal?.aborted) return;
    signal?.addEventListener("abort", end);
    try {
      await work(stop);
    } finally {
      signal?.removeEventListener("abort", end);
    }
  }
}

/** Waits until a consumer has nothing to do, now or later. */
async function rested(runner: Runner, stop: AbortSignal): Promise<void> {
  while (!stop.aborted) {
    const rest = await runner.work(stop);
    if (typeof rest !== "number") return;
    await sleep(rest, stop);
  }
}
