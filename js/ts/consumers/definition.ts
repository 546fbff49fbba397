import { SillokError } from "../errors.js";
import type { NewEvent, RecordedEvent } from "../events.js";
import { checkOptions } from "../options.js";
import { DEFAULTS, LIMITS } from "./policy.js";
import type { Projection } from "./projection.js";
import type { Reactor } from "./reactor.js";

/** A projection or a reactor, of whatever events. */
export type AnyConsumer = Projection<any, any> | Reactor<any>;

/** An event as consumers see it: with its place among the events of all streams. */
export type ConsumedEvent<E extends NewEvent = NewEvent> = E extends NewEvent
  ? RecordedEvent<E> & {
      /** The event's place in the order of all events, or of those of its part of a deployed Sillok. */
      position: number;
    }
  : never;

/**
 * What is done about an event at which every attempt failed.
 *
 * - `"skip"`: it becomes a dead letter, and the consumer goes on.
 * - `"hold-stream"`: it becomes a dead letter, and so do the later events of its stream, until they were retried with
 *   success. Other streams go on.
 * - `"stop"`: the consumer stops in front of it until it is told to go on.
 */
export type OnFailure = "skip" | "hold-stream" | "stop";

/** What every consumer can be told beside its handlers. */
export interface ConsumerOptions {
  /** The only category of streams to follow, such as `account` for `account-42`. Default: all. */
  readonly category?: string | undefined;
  /** What is done about an event at which every attempt failed. Default: `"skip"`. */
  readonly onFailure?: OnFailure | undefined;
  /** How many attempts there are at an event: 1 to 100. Default: 8. */
  readonly attempts?: number | undefined;
  /** Milliseconds after the first failure; the time then doubles with each. From 1 to a day. Default: 500. */
  readonly firstDelay?: number | undefined;
  /** The most milliseconds between two attempts: from `firstDelay` to a day. Default: five minutes, or `firstDelay`. */
  readonly longestDelay?: number | undefined;
}

/** What a projection and a reactor have in common, checked and whole. */
export interface ConsumerDefinition {
  /** The consumer's name, under which its checkpoint is kept. */
  readonly name: string;
  /** The only category of streams to follow; without one, all. */
  readonly category: string | undefined;
  /** The only types of events to follow; without any, all. */
  readonly types: readonly string[];
  /** What is done about an event at which every attempt failed. */
  readonly onFailure: OnFailure;
  /** How many attempts there are at an event. */
  readonly attempts: number;
  /** Milliseconds after the first failure. */
  readonly firstDelay: number;
  /** The most milliseconds between two attempts. */
  readonly longestDelay: number;
}

/** Those of the events `E` that may be of this type: all, where their types are not told apart. */
type OfType<E extends NewEvent, Type> = E extends NewEvent
  ? Type extends E["type"]
    ? E
    : never
  : never;

/** Handlers by the type of event, or one for all. */
export type Handlers<E extends NewEvent, Context, Result> =
  | ((event: ConsumedEvent<E>, context: Context) => Result)
  | {
      readonly [Type in E["type"]]?: (
        event: ConsumedEvent<OfType<E, Type>>,
        context: Context,
      ) => Result;
    };

/** Handlers when it is no longer known of which events. */
type AnyHandler = (event: never, context: never) => unknown;

const OPTIONS = [
  "after",
  "timeout",
  "category",
  "on",
  "onFailure",
  "attempts",
  "firstDelay",
  "longestDelay",
] as const satisfies (keyof ConsumerOptions | "after" | "timeout" | "on")[];
const ON_FAILURE: readonly unknown[] = ["skip", "hold-stream", "stop"] satisfies OnFailure[];
const CONTROL_CHARACTER = /\p{Cc}/u;

/** Checks what a consumer was defined with, and copies it. */
export function defined<On>(
  name: unknown,
  options: ConsumerOptions & { readonly on: On },
): ConsumerDefinition & { readonly on: On } {
  checkOptions(options, OPTIONS);
  const { category, onFailure = "skip" } = options;
  const { attempts = DEFAULTS.attempts, firstDelay = DEFAULTS.firstDelay } = options;
  const { longestDelay = Math.max(DEFAULTS.longestDelay, firstDelay) } = options;
  const on = copied(options.on);
  const types = typeof on === "function" ? [] : Object.keys(on as object);
  checkName(name, "name");
  if (category !== undefined) checkCategory(category);
  for (const type of types) checkName(type, "on");
  if (!ON_FAILURE.includes(onFailure)) {
    throw invalid("onFailure", 'must be "skip", "hold-stream" or "stop"');
  }
  checkNumber(attempts, "attempts", 1, LIMITS.attempts);
  checkNumber(firstDelay, "firstDelay", 1, LIMITS.delay);
  checkNumber(longestDelay, "longestDelay", firstDelay, LIMITS.delay);
  Object.freeze(types);
  return { name, category, types, on, onFailure, attempts, firstDelay, longestDelay };
}

/** Whether it was made here, or by another copy of this file, such as that of `sillok/worker`: what was checked is frozen. */
export function isMade(consumer: unknown): consumer is AnyConsumer {
  const { kind, types } = (consumer ?? {}) as { kind?: unknown; types?: unknown };
  const isConsumer = kind === "projection" || kind === "reactor";
  return isConsumer && Object.isFrozen(consumer) && Array.isArray(types) && Object.isFrozen(types);
}

/** What handles events of this type. */
export function handlerOf(on: unknown, type: string): AnyHandler {
  if (typeof on === "function") return on as AnyHandler;
  const handler = (on as Readonly<Record<string, AnyHandler>>)[type];
  if (handler === undefined) throw new TypeError(`there is no handler for ${type}`);
  return handler;
}

/** Handlers cannot be exchanged once a consumer was defined: what is followed was decided then. */
function copied<On>(on: On): On {
  if (typeof on === "function") return on;
  if (typeof on !== "object" || on === null) {
    throw invalid("on", "must be a function, or an object with a function for each type of event");
  }
  const handlers: Record<string, unknown> = Object.create(null);
  for (const [type, handler] of Object.entries(on)) {
    if (handler === undefined) continue;
    if (typeof handler !== "function") throw invalid(`on.${type}`, "must be a function");
    handlers[type] = handler;
  }
  if (Object.keys(handlers).length === 0) throw invalid("on", "handles no type of event");
  return Object.freeze(handlers) as On;
}

function checkName(name: unknown, field: string): asserts name is string {
  const isName =
    typeof name === "string" &&
    name !== "" &&
    name.isWellFormed() &&
    !CONTROL_CHARACTER.test(name) &&
    new TextEncoder().encode(name).length <= LIMITS.nameBytes;
  if (isName) return;
  const what = field === "on" ? "must name types of events, each " : "must be a text of ";
  throw invalid(field, `${what}1 to ${LIMITS.nameBytes} bytes of UTF-8 without control characters`);
}

function checkCategory(category: unknown): void {
  checkName(category, "category");
  if (!category.includes("-")) return;
  throw invalid("category", "is the text before the first `-` of its streams' names, and has none");
}

/** Checks an option that is a whole number. */
export function checkNumber(value: unknown, field: string, least: number, most: number): void {
  if (Number.isInteger(value) && Number(value) >= least && Number(value) <= most) return;
  throw invalid(field, `must be a whole number from ${least} to ${most}`);
}

/** What a definition is refused by. */
export function invalid(field: string, reason: string): SillokError {
  const detail = `the consumer's \`${field}\` ${reason}`;
  return new SillokError({ code: "invalid_consumer", detail, field });
}
