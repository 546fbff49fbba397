// A whole application in memory, with a clock that the test moves.

import type {
  AggregateName,
  AggregateNamed,
  AnyAggregate,
  AnyConsumer,
  AnyProcess,
  AppFailure,
  CommandOf,
  CommandOutcome,
  ConsumerHandle,
  EventOf,
  ExecuteOptions,
  ExecuteResult,
  LoadedState,
  LoadOptions,
  NewEvent,
  Projection,
  Reactor,
  RejectionOf,
  StateOf,
} from "sillok";

import { subjectOf, watch } from "../gateway/watcher.js";
import { engineOf } from "../local/engine-of.js";
import { SillokError } from "../store/errors.js";
import { invalid } from "../store/invalid.js";
import { checkOptions } from "../store/options.js";
import { EventGateway, EventStore } from "./program.js";

/** The definitions of an application, as of `sillok({ … })`, and the time at its start. */
export interface MemoryAppOptions<
  Aggregates extends readonly AnyAggregate[] = readonly AnyAggregate[],
  Processes extends readonly AnyProcess[] = readonly AnyProcess[],
> {
  /** The aggregates. */
  readonly aggregates?: Aggregates | undefined;
  /** The processes. */
  readonly processes?: Processes | undefined;
  /** The projections. */
  readonly projections?: readonly Projection<any, any>[] | undefined;
  /** The reactors. */
  readonly reactors?: readonly Reactor<any, any>[] | undefined;
  /** The time at the start: a Date, or milliseconds since 1970. Default: 0. */
  readonly now?: number | Date | undefined;
  /** The environment of the handlers of reactors: their `context.env`. */
  readonly env?: unknown;
  /**
   * What a failed attempt of a handler, a timer or a sent command does. `throw`: the call that has run it throws an error whose `cause` is {@link AppFailure.error}, after
   * everything that is due has run. `list`: it is only in {@link MemoryApp.failures}; use it to test retries. Default: `throw`.
   */
  readonly onFailure?: "throw" | "list" | undefined;
}

/** The documents of a projection. */
export interface MemoryDocuments<Document> {
  /** Returns the document with this key; undefined if there is none. */
  get(key: string): Promise<Document | undefined>;
  /** Returns all documents with their keys, in the order of their keys. */
  list(): Promise<{ readonly key: string; readonly document: Document }[]>;
}

/** One aggregate of an application in memory. */
export interface MemoryAggregate<A extends AnyAggregate = AnyAggregate> {
  /** The stream of the aggregate. */
  readonly stream: string;
  /** Executes a command as {@link MemoryApp.execute} does. */
  execute(
    command: CommandOf<NoInfer<A>>,
    options?: ExecuteOptions,
  ): Promise<ExecuteResult<EventOf<A>>>;
  /** Executes a command, but returns a rejection as a value. */
  attempt(
    command: CommandOf<NoInfer<A>>,
    options?: ExecuteOptions,
  ): Promise<CommandOutcome<EventOf<A>, RejectionOf<A>>>;
  /** Loads the state. */
  state(options?: LoadOptions): Promise<LoadedState<StateOf<A>>>;
}

const OPTIONS = [
  "aggregates",
  "processes",
  "projections",
  "reactors",
  "now",
  "env",
  "onFailure",
] as const satisfies (keyof MemoryAppOptions)[];

/** The latest time of a `Date`, in milliseconds since 1970. */
const LATEST_MILLIS = 8.64e15;
/** The most times of an `advance` at which something is due. More of them are a loop without an end. */
const MOST_TIMES = 100_000;

/**
 * Runs a whole application in memory, with a clock that only you move. Timers, sent commands, their answers, projections and
 * reactors run as in production, but nothing waits for real time: a reminder in 30 days is a test of some milliseconds.
 *
 * The handlers of reactors are real code. If they call other services, replace these in your test.
 *
 * @param options - The definitions, and the time at the start.
 * @returns The application.
 * @throws {@link SillokError} `invalid_parameter` when an option is invalid; `invalid_consumer` when a name is taken or a definition
 * is none.
 *
 * @example
 * ```ts
 * import { aggregate, schedule } from "sillok";
 * import { memoryApp } from "sillok/testing";
 *
 * const DAY = 24 * 60 * 60 * 1000;
 * type Event = { type: "Reserved" } | { type: "Lapsed" };
 * type Command = { type: "Reserve" } | { type: "Lapse" };
 * const seat = aggregate<Event, Command, string>("seat", {
 *   initialState: () => "free",
 *   evolve: (_, { type }) => (type === "Reserved" ? "reserved" : "free"),
 *   decide: ({ type }, state, { now }) => {
 *     if (type === "Reserve") return [{ type: "Reserved" }, schedule("lapse", now + 3 * DAY, { type: "Lapse" })];
 *     return state === "reserved" ? [{ type: "Lapsed" }] : [];
 *   },
 * });
 *
 * const app = memoryApp({ aggregates: [seat], now: new Date("2026-01-01") });
 * await app.execute("seat-1", { type: "Reserve" }, seat);
 * await app.advance(2 * DAY);
 * console.log((await app.load("seat-1", seat)).state); // reserved
 * await app.advance(DAY);
 * console.log((await app.load("seat-1", seat)).state); // free
 * console.log(new Date(app.now).toISOString()); // 2026-01-04T00:00:00.000Z
 * ```
 */
export function memoryApp<
  const Aggregates extends readonly AnyAggregate[] = [],
  const Processes extends readonly AnyProcess[] = [],
>(
  options: MemoryAppOptions<Aggregates, Processes> = {},
): MemoryApp<Aggregates[number] | Processes[number]> {
  return new MemoryApp(options);
}

/** An application in memory, made by {@link memoryApp}. */
export class MemoryApp<A extends AnyAggregate = AnyAggregate> {
  /** The store of the application. After you have written to it, call {@link MemoryApp.advance}. */
  readonly store: EventStore;
  readonly #gateway: EventGateway;
  readonly #failures: AppFailure[] = [];
  readonly #isThrown: boolean;
  /** The number of failures that were thrown already. */
  #checked = 0;
  readonly #definitions: ReadonlyMap<string, AnyAggregate>;
  #now: number;

  /** See {@link memoryApp}. */
  constructor(options: MemoryAppOptions) {
    checkOptions(options, OPTIONS);
    const { aggregates = [], processes = [], projections = [], reactors = [], now = 0 } = options;
    const { onFailure = "throw" } = options;
    if (onFailure !== "throw" && onFailure !== "list") {
      throw invalid("onFailure", 'must be "throw" or "list"');
    }
    this.#now = millisOf(now, "now");
    this.store = new EventStore({ now: () => this.#now });
    this.#isThrown = onFailure === "throw";
    const failed = (failure: AppFailure) => this.#failures.push(failure);
    watch(engineOf(this.store) as object, { env: options.env, failed });
    this.#gateway = new EventGateway(this.store);
    this.#gateway.register(...aggregates, ...processes, ...projections, ...reactors);
    const definitions = [...aggregates, ...processes];
    this.#definitions = new Map(definitions.map((definition) => [definition.name, definition]));
  }

  /** The failed attempts up to now, the oldest first. */
  get failures(): readonly AppFailure[] {
    return this.#failures;
  }

  /**
   * One aggregate or process of the application, as of `client.aggregate` of a deployed Worker.
   *
   * @param name - The name of the aggregate.
   * @param id - The text after the `-` of the stream id.
   * @throws {@link SillokError} `no_aggregate` when the application has none with this name.
   */
  aggregate<Name extends AggregateName<{ readonly "~aggregate"?: A }>>(
    name: Name,
    id: string,
  ): MemoryAggregate<AggregateNamed<{ readonly "~aggregate"?: A }, Name>>;
  aggregate(name: string, id: string): MemoryAggregate<any> {
    const definition = this.#definitions.get(name);
    if (definition === undefined) {
      const detail = `the application has no aggregate and no process with the name ${JSON.stringify(name)}`;
      throw new SillokError({ code: "no_aggregate", detail, field: "name" });
    }
    const stream = `${name}-${id}`;
    return {
      stream,
      execute: (command, options) => this.execute(stream, command, definition, options),
      attempt: async (command, options) => {
        const outcome = await this.store.attempt(stream, command, definition, options);
        await this.advance(0);
        return outcome;
      },
      state: (options) => this.load(stream, definition, options),
    };
  }

  /** The time of the application, in milliseconds since 1970. */
  get now(): number {
    return this.#now;
  }

  /**
   * Executes a command as {@link AggregateStore.execute} does, and then runs everything that is due now: the commands that it
   * sends, their answers, projections and reactors.
   *
   * @throws {@link SillokError} as {@link AggregateStore.execute} does: a rejection is an error with the code `command_rejected`.
   */
  async execute<A extends AnyAggregate>(
    stream: string,
    command: CommandOf<NoInfer<A>>,
    aggregate: A,
    options?: ExecuteOptions,
  ): Promise<ExecuteResult<EventOf<A>>> {
    const result = await this.store.execute(stream, command, aggregate, options);
    await this.advance(0);
    return result;
  }

  /** Loads the state of a stream as {@link AggregateStore.load} does. */
  load<A extends AnyAggregate>(
    stream: string,
    aggregate: A,
    options?: LoadOptions,
  ): Promise<LoadedState<StateOf<A>>> {
    return this.store.load(stream, aggregate, options);
  }

  /**
   * Moves the clock forward. Everything that becomes due meanwhile runs at its time, the earliest first: timers, sent commands,
   * answers, projections, reactors, and repeats of failed attempts.
   *
   * @param milliseconds - The duration. With 0, everything that is due now runs.
   * @throws {@link SillokError} `invalid_parameter` when the duration is no number from 0; `decider_failed` when something is due
   * again and again without an end: 100,000 timers and sent commands at one time, 10,000 of one stream, or work at 100,000 times.
   * `stream` is that of the last timer or sent command, and `field` its key.
   */
  async advance(milliseconds: number): Promise<void> {
    const end = millisOf(this.#now + millisOf(milliseconds, "milliseconds"), "milliseconds");
    for (let times = 0; times < MOST_TIMES; times += 1) {
      const next = await this.#gateway.catchUp();
      if (next === undefined || next > end) {
        this.#now = end;
        this.#check();
        return;
      }
      this.#now = Math.max(this.#now, next);
    }
    const detail = `there was work at ${MOST_TIMES} times, and there is still more: does a timer set itself again and again?`;
    throw new SillokError({ code: "decider_failed", detail });
  }

  /** Throws the first failure since the last call, if failures are thrown. */
  #check(): void {
    const [first] = this.#failures.slice(this.#checked);
    this.#checked = this.#failures.length;
    if (first === undefined || !this.#isThrown) return;
    throw wrapped(first);
  }

  /**
   * Returns the documents of a projection.
   *
   * @param projection - The projection.
   * @throws {@link SillokError} `consumer_not_found` when the application does not have it.
   */
  documents<P extends NewEvent, Document>(
    projection: Projection<P, Document>,
  ): MemoryDocuments<Document> {
    const handle = this.#gateway.projection(projection);
    return {
      get: (key) => handle.get(key) as Promise<Document | undefined>,
      async list() {
        const all: { readonly key: string; readonly document: Document }[] = [];
        for await (const { key, document } of handle.documents()) {
          all.push({ key, document: document as Document });
        }
        return all;
      },
    };
  }

  /** Returns a handle of a projection, a reactor or a process, for its dead letters. See {@link EventGateway.consumer}. */
  consumer(consumer: string | AnyConsumer | AnyProcess): ConsumerHandle {
    return this.#gateway.consumer(consumer);
  }
}

/** The error of a failure that says what has failed. */
export function wrapped(failure: AppFailure): Error {
  const { attempt, error } = failure;
  const message = `${subjectOf(failure)} failed in attempt ${attempt}: ${error.message}`;
  return new Error(message, { cause: error });
}

function millisOf(value: number | Date, field: string): number {
  const millis = value instanceof Date ? value.getTime() : value;
  if (typeof millis === "number" && millis >= 0 && millis <= LATEST_MILLIS)
    return Math.ceil(millis);
  throw invalid(field, "must be milliseconds, a number from 0, and the time must be one of a Date");
}
