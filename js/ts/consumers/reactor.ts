import type { AppendResult, NewEvent } from "../events.js";
import type { AppendOptions } from "../options.js";
import {
  checkNumber,
  type ConsumedEvent,
  type ConsumerDefinition,
  type ConsumerOptions,
  defined,
  handlerOf,
  type Handlers,
  invalid,
} from "./definition.js";
import { DEFAULTS, LIMITS } from "./policy.js";

/** One position for each part of the feed. */
const CHECKPOINT = /^\d+(\.\d+)*$/;

/** What a reactor's handler is given beside the event. */
export interface ReactorContext {
  /** The same for every attempt of this reactor at this event, and for no other: by it, others can drop repeats. */
  readonly id: string;
  /** Which attempt at the event this is, counted from 1. */
  readonly attempt: number;
  /**
   * Appends to the store that the event came from, as the store's own `append` does. It takes effect once, however often
   * the event is handled: the first, second … append of a handler is repeated under the key of the first, second …
   */
  append<E extends NewEvent = NewEvent>(
    stream: string,
    events: E | readonly E[],
    options?: Omit<AppendOptions, "idempotencyKey">,
  ): Promise<AppendResult>;
}

/** Handlers of a reactor: by the type of event, or one for all. What they return is waited for. */
export type ReactorHandlers<E extends NewEvent = NewEvent> = Handlers<E, ReactorContext, unknown>;

/** What a reactor is defined by. */
export interface ReactorOptions<E extends NewEvent = NewEvent> extends ConsumerOptions {
  /**
   * The checkpoint after which it begins, such as an event of `readAll` has. Default: with the first event there is. It
   * counts until the reactor has handled something; then it goes on from where it is.
   */
  readonly after?: string | undefined;
  /**
   * How many milliseconds a handler may take: 1 to ten minutes. One that has not ended by then has failed, though nothing
   * stops what it still does. Default: half a minute.
   */
  readonly timeout?: number | undefined;
  /** What is done upon events. With an object, only events of the types that are its keys are followed. */
  readonly on: ReactorHandlers<E>;
}

/** A reactor, made by {@link reactor}. */
export interface Reactor<E extends NewEvent = NewEvent> extends ConsumerDefinition {
  /** That it is a reactor. */
  readonly kind: "reactor";
  /** The checkpoint after which it begins, if not with the first event. */
  readonly after: string | undefined;
  /** How many milliseconds a handler may take. */
  readonly timeout: number;
  /** What is done upon events. */
  readonly on: ReactorHandlers<E>;
}

/**
 * Defines a reactor: what is done upon events, such as appending to other streams or telling someone. Every event is
 * handled at least once, one after the other; after a crash the last ones may be handled again.
 *
 * A handler that throws, or whose promise is rejected or not settled in time, has failed: the event is attempted again
 * later, as the options say. What it appends takes effect once nevertheless, provided that it appends the same for the same event.
 * Where it fails by a {@link SillokError} that no repetition heals, such as `invalid_event`, the event is given up at once.
 *
 * @param name - Under which it is kept: 1 to 200 bytes of UTF-8 without control characters.
 * @param options - What it follows, what it does, and what is done about failures.
 * @throws {@link SillokError} `invalid_consumer`, whose `field` names what is wrong; `invalid_parameter` for an option
 * that does not exist.
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
export function reactor<E extends NewEvent = NewEvent>(
  name: string,
  options: ReactorOptions<E>,
): Reactor<E> {
  const definition = defined(name, options);
  const { after, timeout = DEFAULTS.timeout } = options;
  if (after === "end") {
    throw invalid("after", "must be a checkpoint: code has no moment at which the events end");
  }
  if (after !== undefined && (typeof after !== "string" || !CHECKPOINT.test(after))) {
    throw invalid("after", "must be a checkpoint, such as an event of `readAll` has");
  }
  checkNumber(timeout, "timeout", 1, LIMITS.timeout);
  return Object.freeze({ kind: "reactor", after, timeout, ...definition });
}

/** Lets a reactor's handler do what it does upon the event. */
export async function react(
  { on }: Pick<Reactor, "on">,
  event: ConsumedEvent,
  context: ReactorContext,
): Promise<void> {
  const handler = handlerOf(on, event.type) as (e: ConsumedEvent, c: ReactorContext) => unknown;
  await handler(event, context);
}
