import { areEventDefinitions, type EventDefinitions } from "../aggregate/events.js";
import { SillokError } from "../store/errors.js";
import type { NewEvent, RecordedEvent } from "../store/events.js";
import {
  CONSUMER_ATTEMPTS,
  CONSUMER_DELAY_MILLIS,
  CONSUMER_NAME_BYTES,
  EVENT_TYPE_BYTES,
  POLICY_ATTEMPTS,
  POLICY_FIRST_DELAY_MILLIS,
  POLICY_LONGEST_DELAY_MILLIS,
  STREAM_ID_BYTES,
} from "../store/limits.js";
import { isName } from "../store/names.js";
import { checkOptions } from "../store/options.js";
import type { Projection } from "./projection.js";
import type { Reactor } from "./reactor.js";

/** A projection or a reactor, for any events. */
export type AnyConsumer = Projection<any, any> | Reactor<any, any>;

/** An event for a consumer, with its place among the events of all streams. */
export type ConsumedEvent<E extends NewEvent = NewEvent> = E extends NewEvent
  ? RecordedEvent<E> & {
      /** The place of the event among the events of all streams; on a server, of its partition. */
      position: number;
    }
  : never;

/**
 * The action of a consumer after the last failed attempt at an event.
 *
 * - `"skip"`: the event becomes a dead letter, and the consumer continues.
 * - `"hold-stream"`: the event and the later events of its stream become dead letters, until a retry of them succeeds.
 *   Other streams continue.
 * - `"stop"`: the consumer stops before the event, until you resume it.
 */
export type OnFailure = "skip" | "hold-stream" | "stop";

/** The options of every consumer: the followed category, and the policy for failures. */
export interface FollowOptions {
  /** Follows only streams of this category, such as `account` for `account-42`. Default: all streams. */
  readonly category?: string | undefined;
  /** The action after the last failed attempt at an event. Default: `"skip"`. */
  readonly onFailure?: OnFailure | undefined;
  /** The number of attempts at an event: 1 to 100. Default: 8. */
  readonly attempts?: number | undefined;
  /** The delay after the first failure, in milliseconds: 1 to a day. The delay doubles after each failure. Default: 500. */
  readonly firstDelay?: number | undefined;
  /** The longest delay between two attempts, in milliseconds: `firstDelay` to a day. Default: five minutes, or `firstDelay`. */
  readonly longestDelay?: number | undefined;
}

/** Options of every consumer with handlers, beside these. */
export interface ConsumerOptions<E extends NewEvent = any> extends FollowOptions {
  /**
   * The events of an aggregate, such as `account.events`. With them, the handlers get each event in its newest shape, and the
   * types of the events are inferred. Events of other types stay the same. An event that newer code has written fails, with
   * the {@link SillokError} `event_too_new`.
   */
  readonly events?: EventDefinitions<E> | undefined;
}

/** The common part of all consumers, checked and with its defaults. */
export interface FollowerDefinition {
  /** The name of the consumer. The store has its checkpoint under this name. */
  readonly name: string;
  /** The category of the followed streams; undefined for all streams. */
  readonly category: string | undefined;
  /** The types of the followed events; empty for all types. */
  readonly types: readonly string[];
  /** The action after the last failed attempt at an event. */
  readonly onFailure: OnFailure;
  /** The number of attempts at an event. */
  readonly attempts: number;
  /** The delay after the first failure, in milliseconds. */
  readonly firstDelay: number;
  /** The longest delay between two attempts, in milliseconds. */
  readonly longestDelay: number;
}

/** The common part of a projection and a reactor, checked and with its defaults. */
export interface ConsumerDefinition extends FollowerDefinition {
  /** The events of an aggregate, by which the handlers get each event in its newest shape; undefined if there are none. */
  readonly events: EventDefinitions | undefined;
}

/** The events of `E` that may have this type: all of them, if `type` does not distinguish them. */
export type OfType<E extends NewEvent, Type> = E extends NewEvent
  ? Type extends E["type"]
    ? E
    : never
  : never;

/** Handlers by event type, or one handler for all events. */
export type Handlers<E extends NewEvent, Context, Result> =
  | ((event: ConsumedEvent<E>, context: Context) => Result)
  | {
      readonly [Type in E["type"]]?: (
        event: ConsumedEvent<OfType<E, Type>>,
        context: Context,
      ) => Result;
    };

/** A handler without the types of its events. */
type AnyHandler = (event: never, context: never) => unknown;

/** A checkpoint: one position for each partition of the feed. */
const CHECKPOINT = /^\d+(\.\d+)*$/;
const OPTIONS = [
  "category",
  "onFailure",
  "attempts",
  "firstDelay",
  "longestDelay",
] as const satisfies (keyof FollowOptions)[];
const ON_FAILURE: readonly unknown[] = ["skip", "hold-stream", "stop"] satisfies OnFailure[];

/** Checks the definition of a consumer with handlers, and copies it. `own` has the names of the options that only its kind has. */
export function defined<On>(
  name: unknown,
  options: ConsumerOptions & { readonly on: On },
  own: readonly string[] = [],
): ConsumerDefinition & { readonly on: On } {
  checkOptions(options, [...OPTIONS, "events", "on", ...own]);
  const { events } = options;
  const on = copied(options.on);
  const types = typeof on === "function" ? [] : Object.keys(on as object);
  if (events !== undefined && !areEventDefinitions(events)) {
    throw invalidConsumer("events", "must be the field `events` of an aggregate");
  }
  return { ...follower(name, options, { types, field: "on" }), events, on };
}

/** Checks the definition of a consumer without handlers. `own` has the names of the options that only its kind has. */
export function definedFor(
  name: unknown,
  options: FollowOptions & { readonly types?: readonly string[] | undefined },
  own: readonly string[],
): FollowerDefinition {
  checkOptions(options, [...OPTIONS, "types", ...own]);
  const { types } = options;
  if (types !== undefined && !(Array.isArray(types) && types.length > 0)) {
    const reason = "must be an array of at least one type; leave it out to follow all";
    throw invalidConsumer("types", reason);
  }
  return follower(name, options, { types: [...(types ?? [])], field: "types" });
}

/** Checks the common part of all consumers. `field` names the option with the types. */
function follower(
  name: unknown,
  options: FollowOptions,
  { types, field }: { readonly types: readonly string[]; readonly field: "on" | "types" },
): FollowerDefinition {
  const { category, onFailure = "skip" } = options;
  const { attempts = POLICY_ATTEMPTS, firstDelay = POLICY_FIRST_DELAY_MILLIS } = options;
  const { longestDelay = Math.max(POLICY_LONGEST_DELAY_MILLIS, firstDelay) } = options;
  checkName(name, "name", CONSUMER_NAME_BYTES);
  if (category !== undefined) checkCategory(category);
  for (const type of types) checkName(type, field, EVENT_TYPE_BYTES);
  if (!ON_FAILURE.includes(onFailure)) {
    throw invalidConsumer("onFailure", 'must be "skip", "hold-stream" or "stop"');
  }
  checkNumber(attempts, "attempts", 1, CONSUMER_ATTEMPTS);
  checkNumber(firstDelay, "firstDelay", 1, CONSUMER_DELAY_MILLIS);
  checkNumber(longestDelay, "longestDelay", firstDelay, CONSUMER_DELAY_MILLIS);
  Object.freeze(types);
  return { name, category, types, onFailure, attempts, firstDelay, longestDelay };
}

/** Whether this file, or another copy of it such as that of `sillok/worker`, has made the consumer: a checked one is frozen. */
export function isConsumer(consumer: unknown): consumer is AnyConsumer {
  const { kind, types } = (consumer ?? {}) as { kind?: unknown; types?: unknown };
  const isConsumer = kind === "projection" || kind === "reactor";
  return isConsumer && Object.isFrozen(consumer) && Array.isArray(types) && Object.isFrozen(types);
}

/** The handler for events of this type. */
export function handlerFor(on: unknown, type: string): AnyHandler {
  if (typeof on === "function") return on as AnyHandler;
  const handler = (on as Readonly<Record<string, AnyHandler>>)[type];
  if (handler === undefined) throw new TypeError(`there is no handler for ${type}`);
  return handler;
}

/** Copies the handlers. Nobody can exchange them later: they decide which events the consumer follows. */
function copied<On>(on: On): On {
  if (typeof on === "function") return on;
  if (typeof on !== "object" || on === null) {
    throw invalidConsumer(
      "on",
      "must be a function, or an object with a function for each event type",
    );
  }
  const handlers: Record<string, unknown> = Object.create(null);
  for (const [type, handler] of Object.entries(on)) {
    if (handler === undefined) continue;
    if (typeof handler !== "function") throw invalidConsumer(`on.${type}`, "must be a function");
    handlers[type] = handler;
  }
  if (Object.keys(handlers).length === 0)
    throw invalidConsumer("on", "must have a handler for at least one event type");
  return Object.freeze(handlers) as On;
}

/** What a list of names must have; any other field is one name. */
const PREFIXES: Readonly<Record<string, string>> = {
  on: "must have event types as keys, each of ",
  types: "must have event types, each of ",
};

function checkName(name: unknown, field: string, longest: number): asserts name is string {
  if (isName(name, longest)) return;
  const what = PREFIXES[field] ?? "must be a string of ";
  throw invalidConsumer(field, `${what}1 to ${longest} bytes of UTF-8 without control characters`);
}

function checkCategory(category: unknown): void {
  checkName(category, "category", STREAM_ID_BYTES);
  if (!category.includes("-")) return;
  throw invalidConsumer(
    "category",
    "must not have a `-`: it is the text before the first `-` of the stream ids",
  );
}

/** Checks an option that is a whole number. */
export function checkNumber(value: unknown, field: string, least: number, most: number): void {
  if (Number.isInteger(value) && Number(value) >= least && Number(value) <= most) return;
  throw invalidConsumer(field, `must be a whole number from ${least} to ${most}`);
}

/** Checks the place after which a consumer begins. */
export function checkAfter(after: unknown): void {
  if (after === "end") {
    throw invalidConsumer(
      "after",
      'must be a checkpoint; "end" is only for consumers that a request defines',
    );
  }
  if (after !== undefined && (typeof after !== "string" || !CHECKPOINT.test(after))) {
    throw invalidConsumer(
      "after",
      "must be a checkpoint, such as the one of an event of `readAll`",
    );
  }
}

/** The error of an invalid definition. */
export function invalidConsumer(field: string, reason: string): SillokError {
  const detail = `the consumer's \`${field}\` ${reason}`;
  return new SillokError({ code: "invalid_consumer", detail, field });
}
