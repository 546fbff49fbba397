// The code of an aggregate within the object of a stream: what it throws is logged, and `prepare` runs before the turn.

import type { Behaviour } from "../js/ts/aggregate/behaviour.ts";
import { ObservedBehaviour } from "../js/ts/aggregate/observed-behaviour.ts";
import { prepared } from "../js/ts/aggregate/prepare.ts";
import type { Command } from "../js/ts/aggregate/types.ts";
import type { AnyAggregate } from "../js/ts/aggregate/aggregate-store.ts";
import { dataJson } from "../js/ts/aggregate/command-input.ts";
import type { SillokError, SillokErrorCode } from "../js/ts/store/errors.ts";

/** The errors of callers. All others come from the code of the deployment. */
const OF_CALLERS: readonly SillokErrorCode[] = ["unknown_command", "invalid_command"];

/** The parts of a request for an execution that are used here. */
interface ExecuteRequest {
  readonly stream: string;
  readonly command: string;
  readonly id?: string;
  /** It is set if the command is an event of another stream. */
  readonly eventStarts?: boolean;
}

/** The code of an aggregate over one stream. What it throws goes to the Worker's log, because callers get only the code. */
class LoggedBehaviour extends ObservedBehaviour {
  protected override observe(thrown: unknown): void {
    if (!OF_CALLERS.includes((thrown as SillokError).code)) log(thrown);
  }
}

/** Makes the code of an aggregate for one stream. */
export function loggedBehaviour(aggregate: AnyAggregate, stream: string): Behaviour {
  return new LoggedBehaviour(aggregate, stream);
}

/**
 * The request with everything that `prepare` of the aggregate has looked up, or the reply if it has failed. A repeat of a
 * command with a remembered outcome needs nothing, and neither does an event of another stream.
 */
export async function preparedRequest(
  aggregate: AnyAggregate | undefined,
  request: unknown,
  remembers: () => boolean | Promise<boolean>,
): Promise<{ readonly request: unknown; readonly failure?: unknown }> {
  if (aggregate?.prepare === undefined) return { request };
  const { stream, command: text, id: commandId, eventStarts } = request as ExecuteRequest;
  if (eventStarts !== undefined) return { request };
  const command = commandIn(text);
  const isRemembered = commandId !== undefined && (await remembers());
  if (command === undefined || isRemembered) return { request };
  try {
    const found = await prepared(aggregate, command, { stream, commandId });
    return { request: { ...(request as ExecuteRequest), prepared: dataJson(found.data) } };
  } catch (thrown) {
    log(thrown);
    const { code, message: detail, field } = thrown as SillokError;
    return { request, failure: { failure: { code, detail, field } } };
  }
}

/** The command in a text, if it is one. The engine refuses any other text. */
function commandIn(text: string): Command | undefined {
  try {
    const command = JSON.parse(text) as Partial<Command> | null;
    return typeof command?.type === "string" ? (command as Command) : undefined;
  } catch {
    return undefined;
  }
}

/** Logs an error of an aggregate's code with its stack: that of the error that the aggregate's own code has thrown, if there is one. */
export function log(thrown: unknown): void {
  const { message, cause } = thrown as SillokError;
  if (cause === undefined) console.error(thrown);
  else console.error(message, cause);
}
