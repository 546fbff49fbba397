// Checks the timers and the sent commands of a decision, and writes them as JSON for the engine.

import { SillokError } from "../store/errors.js";
import { fieldAt, writeJson } from "../store/json.js";
import { STREAM_ID_BYTES, TIMER_KEY_BYTES } from "../store/limits.js";
import { isName } from "../store/names.js";
import { failed } from "./called.js";
import { isAggregate, isRecord } from "./definition.js";
import type { Cancelled, Scheduled, Sent } from "./pending.js";
import type { ProcessRules } from "./process-rules.js";
import type { Aggregate } from "./types.js";

/** The fields of a part of a decision, none of them checked. */
type Unchecked<T> = { readonly [Key in keyof T]?: unknown };

/** The latest time of a `Date`, in milliseconds since 1970. */
const LATEST_MILLIS = 8.64e15;
const NAME = `must be a string of 1 to ${TIMER_KEY_BYTES} bytes of UTF-8 without control characters`;
const COMMAND_FIELDS: readonly string[] = ["type", "data", "metadata"];

/** The parts of one kind in a decision: their field in errors, and the function that has decided them. */
export interface Place {
  readonly field: string;
  readonly name: string;
}

/** A timer to set, as JSON. */
export function scheduledJson(aggregate: Aggregate, { schedule }: Scheduled, place: Place): string {
  const { key, at, command } = (schedule ?? {}) as Unchecked<Scheduled["schedule"]>;
  const time = at instanceof Date ? at.getTime() : at;
  const keyText = nameJson(key, "key", place);
  if (typeof time !== "number" || !(time >= 0 && time <= LATEST_MILLIS)) {
    throw wrong(place, ["at"], "must be a Date, or milliseconds since 1970");
  }
  const text = commandJson(aggregate, command, place);
  return `{"key":${keyText},"at":${Math.ceil(time)},"command":${text}}`;
}

/** A timer to remove, as JSON. */
export function cancelledJson({ cancel }: Cancelled, place: Place): string {
  const { key } = (cancel ?? {}) as Unchecked<Cancelled["cancel"]>;
  return `{"key":${nameJson(key, "key", place)}}`;
}

/** A sent command, as JSON. */
export function sentJson(
  { name: own, answered }: Pick<Aggregate & ProcessRules, "name" | "answered">,
  { send }: Sent,
  place: Place,
): string {
  const { name, aggregate, id, command } = (send ?? {}) as Unchecked<Sent["send"]>;
  const nameText = nameJson(name, "name", place);
  // Otherwise nobody would get the answer.
  if (!Object.hasOwn(answered, name as string)) {
    const known = Object.keys(answered).join(", ") || "none";
    const reason = `is ${name as string}, but the functions in \`answered\` of ${own} are: ${known}`;
    throw wrong(place, ["name"], reason);
  }
  if (!isAggregate(aggregate)) {
    throw wrong(place, ["aggregate"], "must be a result of `aggregate` or `process`");
  }
  const stream = `${aggregate.name}-${String(id)}`;
  if (typeof id !== "string" || id === "" || !isName(stream, STREAM_ID_BYTES)) {
    const reason = `must be a string that makes a stream id after \`${aggregate.name}-\``;
    throw wrong(
      place,
      ["id"],
      `${reason}: at most ${STREAM_ID_BYTES} bytes without control characters`,
    );
  }
  const text = commandJson(aggregate, command, place);
  return `{"name":${nameText},"stream":${JSON.stringify(stream)},"command":${text}}`;
}

function nameJson(value: unknown, key: string, place: Place): string {
  if (isName(value, TIMER_KEY_BYTES)) return JSON.stringify(value);
  throw wrong(place, [key], NAME);
}

/** A command to an aggregate. Its data are checked when it is decided. */
function commandJson({ name, commands }: Aggregate, command: unknown, place: Place): string {
  if (!isRecord(command)) throw wrong(place, ["command"], "must be an object with a `type`");
  const unknown = Object.keys(command).find((key) => !COMMAND_FIELDS.includes(key));
  if (unknown !== undefined) throw wrong(place, ["command", unknown], "is no field of a command");
  const { type, data = null, metadata } = command;
  if (typeof type !== "string") throw wrong(place, ["command", "type"], "must be a string");
  if (commands !== undefined && !Object.hasOwn(commands, type)) {
    const known = Object.keys(commands).join(", ") || "none";
    const reason = `is ${type}, but the commands of ${name} are: ${known}`;
    throw wrong(place, ["command", "type"], reason);
  }
  const text = `{"type":${JSON.stringify(type)},"data":${valueJson(data, "data", place)}`;
  if (metadata === undefined) return `${text}}`;
  if (!isRecord(metadata)) throw wrong(place, ["command", "metadata"], "must be an object");
  return `${text},"metadata":${valueJson(metadata, "metadata", place)}}`;
}

function valueJson(value: unknown, key: string, place: Place): string {
  const field = fieldAt(place.field, ["command", key]);
  try {
    return writeJson(value, field).text;
  } catch (refused) {
    const { message, field: inner = field } = refused as SillokError;
    throw failed(`${place.name} has returned a wrong command: ${message}`, refused, inner);
  }
}

function wrong({ field, name }: Place, keys: readonly string[], reason: string): SillokError {
  const at = fieldAt(field, keys);
  return failed(`${name} has returned a wrong decision: \`${at}\` ${reason}`, undefined, at);
}
