// The rules of a process: an aggregate that also takes events of other streams, and answers to the commands that it sends.

import type { Rejection, SillokError } from "../store/errors.js";
import { STREAM_ID_BYTES } from "../store/limits.js";
import { isName } from "../store/names.js";
import { failed } from "./called.js";
import {
  checkedParts,
  checkFunction,
  entries,
  invalidAggregate,
  isAggregate,
  isRecord,
} from "./definition.js";
import { newest, type OldEvent } from "./events.js";
import type { Aggregate, CommandContext } from "./types.js";

/** The answer to a sent command. The field `accepted` distinguishes the two. */
export type Answer =
  | {
      /** The command was accepted. */
      readonly accepted: true;
      /** The stream of the command. */
      readonly stream: string;
      /** The version of that stream after the command. */
      readonly version: number;
    }
  | {
      /** The rules of the stream have refused the command. */
      readonly accepted: false;
      /** The stream of the command. */
      readonly stream: string;
      /** The reason. */
      readonly rejection: Rejection;
    };

/** The rejection of every command to a process that has ended. */
export interface ProcessEnded {
  /** The stable name of the reason. */
  readonly code: "process_ended";
  /** There is no more information. */
  readonly data?: undefined;
}

/** A function of a process that decides by an event of another stream, or by an answer. */
export type ReactionFunction = (input: never, state: never, context: CommandContext) => unknown;

/** The functions of a process that an aggregate does not have. */
export interface ProcessRules {
  /** The aggregates whose events the process follows; undefined for the events of all streams, or of a category. */
  readonly sources: readonly Aggregate[] | undefined;
  /** The types of events that start an instance. */
  readonly starts: readonly string[];
  /** For each followed type of events: the id of the instance that an event is for. */
  readonly instance: Readonly<Record<string, (event: never) => unknown>>;
  /** For each followed type of events: decides by an event. */
  readonly on: Readonly<Record<string, ReactionFunction>>;
  /** For each name of a sent command: decides by its answer. */
  readonly answered: Readonly<Record<string, ReactionFunction>>;
  /** Whether an instance is over; undefined if instances never end. */
  readonly ended: ((state: never) => unknown) | undefined;
}

/** An event of another stream, in the parts that are used here. */
export interface FollowedEvent extends OldEvent {
  readonly stream: string;
  readonly version: number;
}

const FIELDS = [
  "sources",
  "starts",
  "on",
  "answered",
  "ended",
] as const satisfies (keyof ProcessRules)[];

/** Checks the definition of a process, and copies it. `others` are fields that are checked elsewhere. */
export function checkedProcess(
  name: unknown,
  definition: unknown,
  others: readonly string[],
): Omit<Aggregate, "kind"> & ProcessRules {
  const parts = checkedParts(name, definition, [...FIELDS, ...others]);
  const { sources, starts, on, answered, ended } = definition as Readonly<Record<string, unknown>>;
  if (ended !== undefined) checkFunction(ended, "ended");
  return {
    ...parts,
    sources: sources === undefined ? undefined : checkedSources(sources),
    ...followed(starts, on),
    answered: functions(answered, "answered"),
    ended: ended as ProcessRules["ended"],
  };
}

/** Whether the value is a process, of this copy of the package or another one. */
export function isProcess(value: unknown): value is Aggregate & ProcessRules {
  return isAggregate(value) && value.kind === "process";
}

/**
 * An event of another stream as the process gets it: in its newest shape. Undefined if the event is not of the followed
 * aggregates.
 *
 * @throws {@link SillokError} as `upcast` does.
 */
export function followedEvent<E extends FollowedEvent>(
  { sources }: Pick<ProcessRules, "sources">,
  event: E,
): E | undefined {
  if (sources === undefined) return event;
  const [category] = event.stream.split("-", 1);
  const source = sources.find(({ name }) => name === category);
  return source === undefined ? undefined : newest(source.events, event);
}

/**
 * The stream of the instance that an event of another stream is for; undefined if it is for none.
 *
 * @throws {@link SillokError} `decider_failed` when the function of the process returns no id; what that function throws.
 */
export function instanceOf(
  process: Pick<Aggregate & ProcessRules, "name" | "sources" | "instance">,
  event: FollowedEvent,
): string | undefined {
  const own = followedEvent(process, event);
  const find = own && Object.hasOwn(process.instance, own.type) && process.instance[own.type];
  if (!find) return undefined;
  const id = find(own as never);
  if (id === undefined) return undefined;
  const stream = `${process.name}-${String(id)}`;
  if (typeof id === "string" && id !== "" && isName(stream, STREAM_ID_BYTES)) return stream;
  const detail = `the process ${process.name} has found no instance for the event ${event.type}: the id must be a string that makes a stream id, or undefined`;
  throw failed(detail);
}

/** Says that a process has no function for the answer to a command of this name. */
export function noAnswered({ name }: Pick<Aggregate, "name">, sent: string): string {
  return `the process ${name} has no function in \`answered\` for the name ${JSON.stringify(sent)}`;
}

function checkedSources(sources: unknown): readonly Aggregate[] {
  if (!Array.isArray(sources) || sources.length === 0) {
    throw invalidProcess("sources", "must be a list of aggregates");
  }
  for (const [place, source] of sources.entries()) {
    if (isAggregate(source)) continue;
    throw invalidProcess(`sources[${place}]`, "must be a result of `aggregate` or `process`");
  }
  return Object.freeze([...sources]) as readonly Aggregate[];
}

/** The types that start an instance, and for each followed type its two functions. */
function followed(starts: unknown, on: unknown): Pick<ProcessRules, "starts" | "instance" | "on"> {
  const instance: Record<string, unknown> = { __proto__: null, ...functions(starts, "starts") };
  const types = Object.keys(instance);
  const decide: Record<string, unknown> = Object.create(null);
  for (const [type, handler] of on === undefined ? [] : entries(on, "on", "function")) {
    if (handler === undefined) continue;
    if (type in instance) {
      if (typeof handler !== "function") {
        const reason = "must be a function, because `starts` has the function for the instance";
        throw invalidProcess(`on.${type}`, reason);
      }
      decide[type] = handler;
    } else {
      [instance[type], decide[type]] = withInstance(handler, type);
    }
  }
  const missing = types.find((type) => !(type in decide));
  if (missing !== undefined) {
    throw invalidProcess(
      `on.${missing}`,
      "must be a function, because the event starts an instance",
    );
  }
  return {
    starts: Object.freeze(types),
    instance: Object.freeze(instance) as ProcessRules["instance"],
    on: Object.freeze(decide) as ProcessRules["on"],
  };
}

/** The functions of an event that starts no instance. */
function withInstance(handler: unknown, type: string): [instance: unknown, decide: unknown] {
  if (!isRecord(handler)) {
    const reason = "must be { instance, decide }, because the event starts no instance";
    throw invalidProcess(`on.${type}`, reason);
  }
  const { instance, decide, ...others } = handler;
  const [unknown] = Object.keys(others);
  if (unknown !== undefined) throw invalidProcess(`on.${type}.${unknown}`, "does not exist");
  checkFunction(instance, `on.${type}.instance`);
  checkFunction(decide, `on.${type}.decide`);
  return [instance, decide];
}

/** Copies functions by type or by name. */
function functions(given: unknown, field: string): Readonly<Record<string, never>> {
  const copied: Record<string, unknown> = Object.create(null);
  for (const [key, one] of given === undefined ? [] : entries(given, field, "function")) {
    if (one === undefined) continue;
    checkFunction(one, `${field}.${key}`);
    copied[key] = one;
  }
  return Object.freeze(copied) as Readonly<Record<string, never>>;
}

/** The error of an invalid definition of a process. */
export function invalidProcess(field: string, reason: string): SillokError {
  return invalidAggregate(field, reason, "process");
}
