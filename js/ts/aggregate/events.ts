import { SillokError } from "../store/errors.js";
import type { NewEvent } from "../store/events.js";
import { writeJson } from "../store/json.js";
import { called, failed } from "./called.js";
import type { StandardSchema } from "./schema.js";

/** A function that brings the data of an event from one schema version to the next. It must be pure and synchronous. */
export type Upcast = (data: any) => unknown;

/** A declared type of events. */
export interface EventDefinition {
  /** The schema of the newest data, if there is one. */
  readonly schema: StandardSchema | undefined;
  /** The functions from schema version 1 to 2, from 2 to 3, and so on. */
  readonly upcasts: readonly Upcast[];
  /** The newest schema version: the number of upcasts + 1. */
  readonly schemaVersion: number;
}

/**
 * The events of an aggregate, as its field `events`. A projection or a reactor with these as its option `events` gets every
 * event in its newest shape.
 */
export interface EventDefinitions<E extends NewEvent = NewEvent> {
  /** The declared types; undefined if the aggregate does not declare its events. */
  readonly byType: Readonly<Record<string, EventDefinition>> | undefined;
  /** The type of the events. There is no such value at run time. */
  readonly "~event"?: E | undefined;
}

/** A stored event, in the form for {@link upcast}. */
export interface OldEvent {
  readonly type: string;
  /** Undefined where it is 1. */
  readonly schemaVersion?: number | undefined;
  readonly data: unknown;
}

/** Whether the value is the field `events` of an aggregate, of this copy of the package or another one. */
export function areEventDefinitions(events: unknown): events is EventDefinitions {
  const isObject = typeof events === "object" && events !== null;
  return isObject && "byType" in events && Object.isFrozen(events);
}

/** The definition of a type, or undefined if the type is not declared. */
export function definitionOf(
  { byType }: EventDefinitions,
  type: string,
): EventDefinition | undefined {
  return byType !== undefined && Object.hasOwn(byType, type) ? byType[type] : undefined;
}

/**
 * The data of a stored event in its newest shape. Every path that shows events to code uses this function. The data of a type
 * that is not declared stays the same.
 *
 * @throws {@link SillokError} `event_too_new` when newer code has written the event; `decider_failed` or `async_decider` when
 * an upcast fails.
 */
export function upcast(
  events: EventDefinitions,
  { type, schemaVersion = 1, data }: OldEvent,
): unknown {
  const definition = definitionOf(events, type);
  const newest = definition?.schemaVersion ?? 1;
  const isTooNew =
    schemaVersion > newest && (definition !== undefined || events.byType === undefined);
  if (isTooNew) throw tooNew(type, schemaVersion, newest);
  if (definition === undefined || schemaVersion === newest) return data;
  let shape = data;
  for (const [place, next] of definition.upcasts.entries()) {
    const from = place + 1;
    if (from < schemaVersion) continue;
    const name = () => `the upcast of ${type} from schema version ${from}`;
    const old = shape;
    shape = called(() => next(old), name);
  }
  return plain(shape, type);
}

/** The same as {@link upcast}. The error also names the place of the event. */
export function upcastAt(events: EventDefinitions, event: OldEvent, place: string): unknown {
  try {
    return upcast(events, event);
  } catch (refused) {
    const { code, message, cause } = refused as SillokError;
    throw new SillokError({ code, detail: `${place}: ${message}` }, { cause });
  }
}

/** Every path must show the same value, also a path that sends it as JSON. */
function plain(data: unknown, type: string): unknown {
  try {
    return JSON.parse(writeJson(data, "data").text);
  } catch (refused) {
    throw failed(`the upcasts of ${type} return data that JSON cannot represent`, refused);
  }
}

function tooNew(type: string, schemaVersion: number, newest: number): SillokError {
  const detail = `an event of type ${type} has schema version ${schemaVersion}, but this code knows versions up to ${newest}`;
  return new SillokError({ code: "event_too_new", detail });
}
