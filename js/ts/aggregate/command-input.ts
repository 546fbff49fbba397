// Checks the arguments of commands and loads. Every store uses the same checks.

import { isAggregate } from "./definition.js";
import { prepared } from "./prepare.js";
import type { Aggregate, Command, PrepareContext } from "./types.js";
import type {
  AnyAggregate,
  CommandOutcome,
  ExecuteOptions,
  ExecuteResult,
  LoadOptions,
} from "./aggregate-store.js";
import { SillokError } from "../store/errors.js";
import type { NewEvent } from "../store/events.js";
import { invalid } from "../store/invalid.js";
import { writeJson } from "../store/json.js";
import { EXECUTE_ATTEMPTS, MOST_EXECUTE_ATTEMPTS, STREAM_ID_BYTES } from "../store/limits.js";
import { isName } from "../store/names.js";
import { checkOptions } from "../store/options.js";
import type { Soon } from "../store/soon.js";

const EXECUTE_OPTIONS = [
  "commandId",
  "expectedVersion",
  "attempts",
] as const satisfies (keyof ExecuteOptions)[];
const LOAD_OPTIONS = ["version", "time"] as const satisfies (keyof LoadOptions)[];

/** A command that is ready for its decision. */
export interface ReadyCommand {
  /** The command as the caller has given it, as JSON. */
  readonly text: string;
  /** The data with everything that `prepare` has looked up, as JSON; undefined if the aggregate has no `prepare`. */
  readonly prepared: string | undefined;
}

/** Checks the arguments of a command, and looks up what it needs. */
export function readyCommand(
  stream: string,
  command: unknown,
  aggregate: AnyAggregate,
  options: ExecuteOptions,
): Soon<ReadyCommand> {
  checkAggregate(aggregate, stream);
  checkOptions(options, EXECUTE_OPTIONS);
  attemptsOf(options);
  const { commandId } = options;
  return lookedUp(aggregate, commandJson(command), { stream, commandId });
}

/** A command, given as JSON, with everything that `prepare` of the aggregate looks up for it. */
export function lookedUp(
  aggregate: AnyAggregate,
  text: string,
  context: PrepareContext,
): Soon<ReadyCommand> {
  if (aggregate.prepare === undefined) return { text, prepared: undefined };
  const given = JSON.parse(text) as Command;
  return prepared(aggregate as Aggregate, given, context).then(({ data }) => ({
    text,
    prepared: dataJson(data),
  }));
}

/** The number of attempts at a command. */
export function attemptsOf({
  attempts = EXECUTE_ATTEMPTS,
  expectedVersion,
}: ExecuteOptions): number {
  const isNumber = Number.isInteger(attempts) && attempts >= 1 && attempts <= MOST_EXECUTE_ATTEMPTS;
  if (!isNumber) {
    throw invalid("attempts", `must be a whole number from 1 to ${MOST_EXECUTE_ATTEMPTS}`);
  }
  // A second attempt would meet another version, which the caller does not expect.
  return expectedVersion === undefined || expectedVersion === "any" ? attempts : 1;
}

/** The wanted version or time of a load, checked as far as the engine does not check it. */
export function wantedState(
  stream: string,
  aggregate: AnyAggregate,
  options: LoadOptions,
): LoadOptions | undefined {
  checkAggregate(aggregate, stream);
  return wantedPlace(options);
}

/** The wanted version or time, in milliseconds; undefined for the present state. */
export function wantedPlace(
  options: LoadOptions,
): { readonly version?: number; readonly time?: number } | undefined {
  checkOptions(options, LOAD_OPTIONS);
  const { version, time } = options;
  if (version === undefined && time === undefined) return undefined;
  if (version !== undefined && time !== undefined) {
    throw invalid("time", "must be left out where there is a `version`");
  }
  if (version !== undefined) {
    if (Number.isSafeInteger(version) && version >= 0) return { version };
    throw invalid("version", "must be a whole number from 0");
  }
  const millis = time instanceof Date ? time.getTime() : time;
  if (typeof millis === "number" && Number.isFinite(millis) && millis >= 0)
    return { time: Math.trunc(millis) };
  throw invalid("time", "must be a Date, or milliseconds since 1970");
}

/** The result of `execute`, which throws a rejection. */
export function accepted<E extends NewEvent>(outcome: CommandOutcome<E>): ExecuteResult<E> {
  if (!outcome.accepted) throw commandRejected(outcome);
  const { stream, firstVersion, version, time, events, replayed } = outcome;
  return { stream, firstVersion, version, time, events, replayed };
}

/** The error of a rejection. */
export function commandRejected({
  rejection,
  version,
  replayed,
}: CommandOutcome & { accepted: false }): SillokError {
  const detail = `the rules of the aggregate have refused the command: ${rejection.code}`;
  return new SillokError({ code: "command_rejected", detail, rejection, version, replayed });
}

function checkAggregate(aggregate: unknown, stream: unknown): void {
  if (!isAggregate(aggregate))
    throw invalid("aggregate", "must be a result of `aggregate` or `process`");
  if (typeof stream !== "string") return;
  const [category = ""] = stream.split("-", 1);
  // The engine refuses an invalid stream.
  if (category === aggregate.name || !isName(stream, STREAM_ID_BYTES)) return;
  throw invalid(
    "aggregate",
    `is the aggregate ${aggregate.name}, but the stream has the category ${category}`,
  );
}

/** The command as JSON. */
export function commandJson(command: unknown): string {
  if (typeof command !== "object" || command === null) {
    const detail = "the command must be an object with a `type`";
    throw new SillokError({ code: "invalid_command", detail, field: "command" });
  }
  return asCommand(() => writeJson(command, "").text);
}

/** The data of a command as JSON. */
export function dataJson(data: unknown): string {
  return data === undefined ? "null" : asCommand(() => writeJson(data, "data").text);
}

function asCommand(write: () => string): string {
  try {
    return write();
  } catch (refused) {
    const { message, field } = refused as SillokError;
    const where = field === undefined || field === "event" ? "command" : field;
    throw new SillokError({ code: "invalid_command", detail: message, field: where });
  }
}
