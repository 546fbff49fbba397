// Checks the definition of an aggregate, and brings both of its forms into one.

import { SillokError } from "../store/errors.js";
import { EVENT_TYPE_BYTES, SNAPSHOT_EVENTS, STREAM_ID_BYTES } from "../store/limits.js";
import { isName } from "../store/names.js";
import {
  areEventDefinitions,
  type EventDefinition,
  type EventDefinitions,
  type Upcast,
} from "./events.js";
import { isSchema, type StandardSchema } from "./schema.js";
import type { Aggregate, AggregateOptions } from "./types.js";

type AnyFunction = (...args: unknown[]) => unknown;
type Handlers = Readonly<Record<string, AnyFunction>>;
type Received = { readonly type: string; readonly data: unknown };

/** The fields of a definition, none of them checked. */
type Unchecked = { readonly [Key in (typeof FIELDS)[number]]?: unknown };

const FIELDS = [
  "events",
  "commands",
  "initialState",
  "decide",
  "evolve",
  "prepare",
  "stateVersion",
  "snapshotEvery",
  "unknownEvents",
  "rememberOutcomes",
  "appends",
] as const satisfies ("events" | "commands" | keyof Aggregate | keyof AggregateOptions)[];
const SNAPSHOT_FIELDS: readonly string[] = ["events", "bytes"];

/** Checks the definition of an aggregate, and copies it. Nobody can change it later. */
export function checkedAggregate(name: unknown, definition: unknown): Aggregate {
  return Object.freeze({ kind: "aggregate", ...checkedParts(name, definition, []) }) as Aggregate;
}

/** Checks the parts of a definition that an aggregate and a process have in common. `others` are the fields of a process. */
export function checkedParts(
  name: unknown,
  definition: unknown,
  others: readonly string[],
): Omit<Aggregate, "kind"> {
  checkCategory(name);
  if (!isRecord(definition)) throw invalidAggregate("definition", "must be an object");
  for (const key of Object.keys(definition)) {
    const isKnown = (FIELDS as readonly string[]).includes(key) || others.includes(key);
    if (!isKnown) throw invalidAggregate(key, "does not exist");
  }
  const given = definition as Unchecked;
  const common = { ...functionOptions(given), ...numbers(given) };
  const rules = typeof given.decide === "function" ? functions(given) : maps(given);
  return { name, ...rules, ...common } as Omit<Aggregate, "kind">;
}

/**
 * Whether this file, or another copy of it such as that of `sillok/worker`, has made the aggregate or the process: a checked one
 * is frozen.
 */
export function isAggregate(aggregate: unknown): aggregate is Aggregate {
  const { kind, events } = (aggregate ?? {}) as { kind?: unknown; events?: unknown };
  const isOne = kind === "aggregate" || kind === "process";
  return isOne && Object.isFrozen(aggregate) && areEventDefinitions(events);
}

/** The error of an invalid definition. */
export function invalidAggregate(
  field: string,
  reason: string,
  kind: Aggregate["kind"] = "aggregate",
): SillokError {
  const detail = `the ${kind}'s \`${field}\` ${reason}`;
  return new SillokError({ code: "invalid_aggregate", detail, field });
}

function functionOptions({ initialState, prepare }: Unchecked) {
  checkFunction(initialState, "initialState");
  if (prepare !== undefined) checkFunction(prepare, "prepare");
  return { initialState, prepare };
}

/** The form with three functions. */
function functions({ events, commands, decide, evolve }: Unchecked) {
  checkFunction(evolve, "evolve");
  if (commands !== undefined) {
    const reason =
      "must be left out where `decide` is a function: only handlers by type have schemas";
    throw invalidAggregate("commands", reason);
  }
  return { events: eventDefinitions(events, false), commands, decide, evolve };
}

/** The form with maps. */
function maps({ events, commands, decide, evolve }: Unchecked) {
  const declared = eventDefinitions(events, true);
  const schemas = commandSchemas(commands);
  const deciders = handlers(decide, "decide", Object.keys(schemas));
  const evolvers = handlers(evolve, "evolve", Object.keys(declared.byType ?? {}));
  return {
    events: declared,
    commands: schemas,
    decide: ({ type, data }: Received, state: unknown, context: unknown) =>
      deciders[type]?.(data, state, context),
    evolve: (state: unknown, { type, data }: Received) => evolvers[type]?.(state, data),
  };
}

function eventDefinitions(events: unknown, needsSchemas: boolean): EventDefinitions {
  if (events === undefined && !needsSchemas) return Object.freeze({ byType: undefined });
  const byType: Record<string, EventDefinition> = Object.create(null);
  for (const [type, definition] of entries(events, "events")) {
    byType[type] = eventDefinition(definition, `events.${type}`, needsSchemas);
  }
  return Object.freeze({ byType: Object.freeze(byType) });
}

function eventDefinition(given: unknown, field: string, needsSchema: boolean): EventDefinition {
  if (isSchema(given)) return definedEvent(given, []);
  if (!isRecord(given)) throw invalidAggregate(field, "must be a schema, or { schema, upcasts }");
  const { schema, upcasts = [], ...others } = given;
  const [unknown] = Object.keys(others);
  if (unknown !== undefined) throw invalidAggregate(`${field}.${unknown}`, "does not exist");
  if (schema === undefined ? needsSchema : !isSchema(schema)) {
    throw invalidAggregate(`${field}.schema`, "must be a Standard Schema, version 1");
  }
  if (!Array.isArray(upcasts)) {
    throw invalidAggregate(`${field}.upcasts`, "must be an array of functions");
  }
  for (const [place, next] of upcasts.entries()) checkFunction(next, `${field}.upcasts[${place}]`);
  return definedEvent(schema as StandardSchema | undefined, upcasts);
}

function definedEvent(
  schema: StandardSchema | undefined,
  upcasts: readonly Upcast[],
): EventDefinition {
  const schemaVersion = upcasts.length + 1;
  return Object.freeze({ schema, upcasts: Object.freeze([...upcasts]), schemaVersion });
}

function commandSchemas(commands: unknown): Readonly<Record<string, StandardSchema>> {
  const schemas: Record<string, StandardSchema> = Object.create(null);
  for (const [type, schema] of entries(commands, "commands")) {
    if (!isSchema(schema)) {
      throw invalidAggregate(`commands.${type}`, "must be a Standard Schema, version 1");
    }
    schemas[type] = schema;
  }
  return Object.freeze(schemas);
}

/** The entries of a map by type. `what` is the meaning of its values. */
export function entries(map: unknown, field: string, what = "schema"): [string, unknown][] {
  if (!isRecord(map))
    throw invalidAggregate(field, `must be an object with a ${what} for each type`);
  const found = Object.entries(map);
  for (const [type] of found) {
    if (isName(type, EVENT_TYPE_BYTES)) continue;
    const reason = `must have types as keys, each of 1 to ${EVENT_TYPE_BYTES} bytes of UTF-8 without control characters`;
    throw invalidAggregate(field, reason);
  }
  return found;
}

/** Copies handlers by type: one for each type, and no others. */
function handlers(given: unknown, field: string, types: readonly string[]): Handlers {
  if (!isRecord(given))
    throw invalidAggregate(field, "must be an object with a function for each type");
  const copied: Record<string, AnyFunction> = Object.create(null);
  for (const type of types) {
    const handler = Object.hasOwn(given, type) ? given[type] : undefined;
    checkFunction(handler, `${field}.${type}`);
    copied[type] = handler;
  }
  for (const type of Object.keys(given)) {
    if (!(type in copied)) throw invalidAggregate(`${field}.${type}`, "has no declared type");
  }
  return Object.freeze(copied);
}

function numbers(given: Unchecked) {
  const { stateVersion = 1, unknownEvents = "fail", appends } = given;
  checkWhole(stateVersion, "stateVersion");
  if (unknownEvents !== "fail" && unknownEvents !== "skip") {
    throw invalidAggregate("unknownEvents", 'must be "fail" or "skip"');
  }
  if (appends !== undefined && appends !== "open") {
    throw invalidAggregate("appends", 'must be "open", or left out');
  }
  const snapshotEvery = snapshots(given.snapshotEvery);
  const rememberOutcomes = remembered(given.rememberOutcomes);
  return { stateVersion, snapshotEvery, unknownEvents, rememberOutcomes, appends };
}

function snapshots(every: unknown = SNAPSHOT_EVENTS): Aggregate["snapshotEvery"] {
  if (every === false) return Object.freeze({ events: 0, bytes: 0 });
  if (!isRecord(every)) {
    checkWhole(every, "snapshotEvery");
    return Object.freeze({ events: every, bytes: 0 });
  }
  for (const key of Object.keys(every)) {
    if (!SNAPSHOT_FIELDS.includes(key)) {
      throw invalidAggregate(`snapshotEvery.${key}`, "does not exist");
    }
  }
  const { events = SNAPSHOT_EVENTS, bytes } = every;
  checkWhole(events, "snapshotEvery.events");
  if (bytes === undefined) return Object.freeze({ events, bytes: 0 });
  checkWhole(bytes, "snapshotEvery.bytes");
  return Object.freeze({ events, bytes });
}

function remembered(milliseconds: unknown = "forever"): number {
  if (milliseconds === "forever") return 0;
  checkWhole(milliseconds, "rememberOutcomes");
  return milliseconds;
}

function checkCategory(name: unknown): asserts name is string {
  if (isName(name, STREAM_ID_BYTES) && !name.includes("-")) return;
  const reason = `must be a category: 1 to ${STREAM_ID_BYTES} bytes of UTF-8 without control characters and without a \`-\``;
  throw invalidAggregate("name", reason);
}

/** Fails unless the value is a function. */
export function checkFunction(value: unknown, field: string): asserts value is AnyFunction {
  if (typeof value !== "function") throw invalidAggregate(field, "must be a function");
}

function checkWhole(value: unknown, field: string): asserts value is number {
  if (Number.isSafeInteger(value) && Number(value) >= 1) return;
  throw invalidAggregate(field, "must be a whole number from 1");
}

/** Whether the value is an object, and no array. */
export function isRecord(value: unknown): value is Record<string, unknown> {
  return typeof value === "object" && value !== null && !Array.isArray(value);
}
