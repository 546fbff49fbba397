import { newest } from "../aggregate/events.js";
import type { CommandOf, EventOf, StateOf } from "../aggregate/types.js";
import type {
  AnyAggregate,
  ExecuteResult,
  LoadedState,
  LoadOptions,
} from "../aggregate/aggregate-store.js";
import type { AppendedEvents, AppendResult, NewEvent, RecordedEvent } from "../store/events.js";
import { CONSUMER_TIMEOUT_MILLIS, POLICY_TIMEOUT_MILLIS } from "../store/limits.js";
import type { AppendOptions, ReadOptions } from "../store/options.js";
import {
  checkAfter,
  checkNumber,
  type ConsumedEvent,
  type ConsumerDefinition,
  type ConsumerOptions,
  defined,
  handlerFor,
  type Handlers,
} from "./definition.js";

/** The second argument of a reactor's handler. `Env` is the type of the environment of the Worker. */
export interface ReactorContext<Env = unknown> {
  /** The id of the delivery: the same for every attempt of this reactor at this event. A receiver can drop repeats by it. */
  readonly id: string;
  /** The number of this attempt at the event. The first attempt is 1. */
  readonly attempt: number;
  /** The environment of the Worker: its bindings, variables and secrets. Undefined in a program. */
  readonly env: Env;
  /**
   * Appends to the store of the event, as `append` of the store does. The first, second … act of a handler, `append` or
   * `execute`, has the first, second … key. A stream remembers the key. So if the event is handled again, an append to the
   * same stream returns the first result, also if its events are others. An append to another stream is written.
   */
  append<E extends NewEvent = NewEvent>(
    stream: string,
    events: AppendedEvents<E>,
    options?: Omit<AppendOptions, "idempotencyKey">,
  ): Promise<AppendResult>;
  /**
   * Executes a command, as `execute` of the store does. The command takes effect once, also if the event is handled again: its
   * id is the same at every attempt, and the stream remembers its first outcome. The events have the correlation id and the
   * trace of the handled event.
   *
   * In a Worker, the object of the stream decides by the registered aggregate of the category. `aggregate` names the category
   * and has the types.
   *
   * @throws {@link SillokError} `command_rejected`, and the errors of `execute` of the store. `idempotency_key_reused` when the
   * stream remembers another command under the id, because an earlier attempt has sent it.
   */
  execute<A extends AnyAggregate>(
    stream: string,
    command: CommandOf<NoInfer<A>>,
    aggregate: A,
  ): Promise<ExecuteResult<EventOf<A>>>;
  /**
   * Reads the events of a stream of the store of the event, as `read` of the store does. In a Worker, the stream is of the
   * tenant of the reactor.
   *
   * A read is no act: it has no number, and another attempt may read other events. Do not choose the acts of the handler by
   * what it reads. A process decides by state.
   *
   * @throws {@link SillokError} the errors of `read` of the store, when you take the first event.
   */
  read<R extends NewEvent = NewEvent>(
    stream: string,
    options?: ReadOptions,
  ): AsyncGenerator<RecordedEvent<R>, void, undefined>;
  /**
   * Loads the state of an aggregate, as `load` of the store does. In a Worker, the object of the stream loads it, by the
   * registered aggregate of the category. For its use, the same holds as for a read.
   *
   * @throws {@link SillokError} the errors of `load` of the store.
   */
  load<A extends AnyAggregate>(
    stream: string,
    aggregate: A,
    options?: LoadOptions,
  ): Promise<LoadedState<StateOf<A>>>;
}

/** Handlers of a reactor: by event type, or one handler for all events. The reactor waits for a returned promise. */
export type ReactorHandlers<E extends NewEvent = NewEvent, Env = unknown> = Handlers<
  E,
  ReactorContext<Env>,
  unknown
>;

/** Options of {@link reactor}. */
export interface ReactorOptions<
  E extends NewEvent = NewEvent,
  Env = unknown,
> extends ConsumerOptions<E> {
  /**
   * The checkpoint to start after, such as the one of an event of `readAll`. Default: the beginning. The option has no effect
   * after the reactor has handled an event: then the reactor continues at its own checkpoint.
   */
  readonly after?: string | undefined;
  /**
   * The longest time of an attempt, in milliseconds: 1 to ten minutes. After this time the attempt has failed, but nothing
   * stops the handler. Default: half a minute.
   */
  readonly timeout?: number | undefined;
  /** The handlers. With an object, the reactor follows only events of the types in its keys. */
  readonly on: ReactorHandlers<E, Env>;
}

/** A reactor, made by {@link reactor}. */
export interface Reactor<E extends NewEvent = NewEvent, Env = unknown> extends ConsumerDefinition {
  /** The kind of the consumer. */
  readonly kind: "reactor";
  /** The checkpoint to start after; undefined for the beginning. */
  readonly after: string | undefined;
  /** The longest time of an attempt, in milliseconds. */
  readonly timeout: number;
  /** The handlers. */
  readonly on: ReactorHandlers<E, Env>;
}

/**
 * Defines a reactor. A reactor has side effects: for example, it appends to other streams or sends a message. It handles
 * every event at least once, one after the other. After a crash it may handle the last events again.
 *
 * A handler fails if it throws, or if its promise rejects or does not settle in time. The reactor then retries the event
 * later, by its options. Its appends and commands still take effect once, if the handler sends the same for the same event. If a retry
 * cannot help, as for the {@link SillokError} `invalid_event`, the reactor gives the event up without a retry.
 *
 * For a Worker, `reactor<Event, Env>` has the type of the Worker's environment, which the handlers get as `context.env`.
 *
 * @param name - The name of the consumer: 1 to 200 bytes of UTF-8 without control characters.
 * @param options - The category, the handlers, and the policy for failures.
 * @throws {@link SillokError} `invalid_consumer`, whose `field` names the wrong part; `invalid_parameter` for an unknown
 * option.
 *
 * @example
 * ```ts
 * import { reactor } from "sillok";
 *
 * type Placed = { type: "Placed"; data: { total: number } };
 *
 * const billing = reactor<Placed>("billing", {
 *   category: "order",
 *   on: {
 *     async Placed(event, context) {
 *       await context.append(`invoice-${event.id}`, { type: "Issued", data: event.data });
 *     },
 *   },
 *   onFailure: "hold-stream",
 * });
 * console.log(billing.kind, billing.name, billing.onFailure); // reactor billing hold-stream
 * ```
 */
export function reactor<E extends NewEvent = NewEvent, Env = unknown>(
  name: string,
  options: ReactorOptions<E, Env>,
): Reactor<E, Env> {
  const definition = defined(name, options, ["after", "timeout"]);
  const { after, timeout = POLICY_TIMEOUT_MILLIS } = options;
  checkAfter(after);
  checkNumber(timeout, "timeout", 1, CONSUMER_TIMEOUT_MILLIS);
  return Object.freeze({ kind: "reactor", after, timeout, ...definition });
}

/** Calls a reactor's handler with an event, and waits for it. */
export async function react(
  { on, events }: Pick<Reactor<any, any>, "on" | "events">,
  event: ConsumedEvent,
  context: ReactorContext,
): Promise<void> {
  const handler = handlerFor(on, event.type) as (e: ConsumedEvent, c: ReactorContext) => unknown;
  await handler(newest(events, event), context);
}
