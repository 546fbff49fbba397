// Checks commands before a decision, and events after it.

import { SillokError } from "../store/errors.js";
import { fieldAt, writeJson } from "../store/json.js";
import { called, failed } from "./called.js";
import { cancelledJson, scheduledJson, sentJson } from "./decided-commands.js";
import { difference } from "./difference.js";
import { definitionOf, type EventDefinitions } from "./events.js";
import { type Cancelled, isPendingObject, type Scheduled, type Sent } from "./pending.js";
import { isProcess } from "./process-rules.js";
import { isRejected } from "./reject.js";
import { pathOf, type StandardSchema, type StandardSchemaIssue } from "./schema.js";
import type { Aggregate } from "./types.js";

/** A command as `decide` gets it. */
interface CheckedCommand {
  readonly type: string;
  readonly data: unknown;
  readonly metadata: object | undefined;
}

/** An event of a decision. */
export interface DecidedJson {
  /** The name of the event in errors; empty if it is the only one. */
  readonly name: string;
  readonly type: string;
  readonly dataText: string;
  /** The other fields as JSON, each after a comma. */
  readonly fields: string;
}

/** The parts of a decision. */
export interface DecidedParts {
  readonly events: readonly DecidedJson[];
  /** The timers to set and to remove, each as JSON, in the order of the decision. */
  readonly timers: readonly string[];
  /** The sent commands, each as JSON. */
  readonly sent: readonly string[];
}

/** An issue of a schema: what is wrong, and where in the data. */
interface Issue {
  readonly message: string;
  readonly path: ReturnType<typeof pathOf>;
}

const EVENT_FIELDS: readonly string[] = ["type", "data", "metadata", "id"];

/** Checks a command by its schema, which may change it. */
export function checkedCommand({ name, commands }: Aggregate, text: string): CheckedCommand {
  const command = parsed(text);
  const { type, data = null, metadata } = command;
  if (typeof type !== "string") throw invalidCommand("type", "`type` must be a string");
  if (commands === undefined) return { type, data, metadata };
  const schema = Object.hasOwn(commands, type) ? commands[type] : undefined;
  if (schema === undefined) {
    const known = Object.keys(commands).join(", ");
    const detail = `the aggregate ${name} has no command ${type}; it has ${known}`;
    throw new SillokError({ code: "unknown_command", detail, field: "type" });
  }
  // The data are a copy of the command's own, so a schema may change them in place.
  const result = validated(schema, data, `the command ${type}`);
  if (result.issue === undefined) return { type, data: result.value, metadata };
  const field = fieldAt("data", result.issue.path);
  throw invalidCommand(field, `${field}: ${result.issue.message}`);
}

/** The parts of a decision. `name` names the function that has decided. */
export function partsOf(aggregate: Aggregate, decision: unknown, name: string): DecidedParts {
  if (decision === undefined || decision === null) {
    throw failed(`${name} has returned nothing. Return [] where nothing happens`);
  }
  const parts: readonly unknown[] = Array.isArray(decision) ? decision : [decision];
  // Nearly all decisions have only events.
  if (!parts.some(isPending)) return { events: eventsOf(decision, name), timers: [], sent: [] };
  const events = eventsOf(
    parts.filter((part) => !isPending(part)),
    name,
  );
  const [timers, sent]: [string[], string[]] = [[], []];
  for (const part of parts.filter(isPending)) {
    const timer = { field: fieldAt("timers", [timers.length]), name };
    const other = Object.keys(part)[1];
    if (other !== undefined) {
      const reason = `has a part with the fields ${Object.keys(part).join(" and ")}; each part has one`;
      throw failed(`${name} has returned a wrong decision: it ${reason}`, undefined, other);
    }
    if ("schedule" in part) timers.push(scheduledJson(aggregate, part, timer));
    else if ("cancel" in part) timers.push(cancelledJson(part, timer));
    else if (isProcess(aggregate)) {
      sent.push(sentJson(aggregate, part, { field: fieldAt("sent", [sent.length]), name }));
    } else {
      const field = fieldAt("sent", [0]);
      throw failed(
        `${name} has sent a command. Only a process can send commands`,
        undefined,
        field,
      );
    }
  }
  return { events, timers, sent };
}

/** Whether a part of a decision is a timer or a sent command. */
function isPending(part: unknown): part is Scheduled | Cancelled | Sent {
  if (typeof part !== "object" || part === null || "type" in part) return false;
  return isPendingObject(part);
}

/** The events of a decision. */
function eventsOf(decision: unknown, name: string): DecidedJson[] {
  if (!Array.isArray(decision)) return [decidedJson(decision, "")];
  if (decision.some(isRejected)) {
    throw failed(`${name} has returned a rejection in an array. Return the rejection alone`);
  }
  return Array.from(decision, (event, place) => decidedJson(event, fieldAt("events", [place])));
}

/**
 * Checks the data of an event of the newest schema version by its schema, which must not change it.
 *
 * @throws {@link SillokError} `invalid_event`, whose `field` names the wrong part.
 */
export function checkData(
  events: EventDefinitions,
  type: string,
  data: unknown,
  name: string,
): void {
  if (events.byType === undefined) return;
  const definition = definitionOf(events, type);
  if (definition === undefined) {
    throw invalidEvent(fieldAt(name, ["type"]), `is ${type}, which the aggregate does not declare`);
  }
  const { schema } = definition;
  if (schema === undefined) return;
  const result = validated(schema, data, type);
  if (result.issue !== undefined) {
    const field = fieldAt(name, ["data", ...result.issue.path]);
    throw invalidEvent(field, `of ${type} is wrong: ${result.issue.message}`);
  }
  const changed = difference(result.value, data);
  if (changed === undefined) return;
  const field = fieldAt(name, ["data", ...changed]);
  if (isDropped(result.value, changed)) {
    throw invalidEvent(field, `is not in the schema of ${type}`);
  }
  throw invalidEvent(field, `of ${type} is changed by its schema, which must only check`);
}

/** Whether these keys lead to a field that an object in the value does not have. */
function isDropped(value: unknown, path: readonly (string | number)[]): boolean {
  let holder = value;
  for (const step of path.slice(0, -1)) holder = (holder as Record<string | number, unknown>)[step];
  const key = path.at(-1);
  if (typeof holder !== "object" || holder === null) return false;
  return typeof key === "string" && !Object.hasOwn(holder, key);
}

function decidedJson(event: unknown, name: string): DecidedJson {
  if (typeof event !== "object" || event === null || Array.isArray(event)) {
    throw invalidEvent(name || "event", "must be an object with a `type`");
  }
  const unknown = Object.keys(event).find((key) => !EVENT_FIELDS.includes(key));
  if (unknown !== undefined)
    throw invalidEvent(fieldAt(name, [unknown]), "is no field of an event");
  const { type, data = null, metadata, id } = event as Readonly<Record<string, unknown>>;
  if (typeof type !== "string") throw invalidEvent(fieldAt(name, ["type"]), "must be a string");
  const written = (value: unknown, field: string) => writeJson(value, fieldAt(name, [field])).text;
  const dataText = written(data, "data");
  let fields = id === undefined ? "" : `,"id":${written(id, "id")}`;
  if (metadata !== undefined) fields += `,"metadata":${written(metadata, "metadata")}`;
  return { name, type, dataText, fields };
}

/** The value of the schema, or its first issue. */
function validated(
  schema: StandardSchema,
  data: unknown,
  what: string,
): { readonly value: unknown; readonly issue?: Issue | undefined } {
  const name = () => `the schema of ${what}`;
  const result = called(() => schema["~standard"].validate(data), name, "async_schema");
  // The call has refused a promise.
  return called(() => {
    const { value, issues } = result as { value?: unknown; issues?: StandardSchemaIssue[] };
    if (!issues) return { value };
    const first = issues[0] ?? { message: "it is wrong" };
    return { value, issue: { message: String(first.message), path: pathOf(first) } };
  }, name);
}

function parsed(text: string): Record<string, unknown> & { metadata?: object } {
  let command: unknown;
  try {
    command = JSON.parse(text);
  } catch {
    throw invalidCommand("command", "the command is no JSON");
  }
  if (typeof command === "object" && command !== null && !Array.isArray(command)) {
    return command as Record<string, unknown>;
  }
  throw invalidCommand("command", "the command must be an object with a `type`");
}

function invalidCommand(field: string, detail: string): SillokError {
  return new SillokError({ code: "invalid_command", detail, field });
}

function invalidEvent(field: string, reason: string): SillokError {
  const detail = `\`${field}\` ${reason}`;
  return new SillokError({ code: "invalid_event", detail, field });
}
