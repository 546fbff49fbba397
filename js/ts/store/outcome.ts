import type { CommandOutcome, ExecuteResult } from "./aggregate-store.js";
import type { Rejection } from "./errors.js";
import type { RecordedEvent } from "./events.js";

/** The outcome of a command, as an engine gives it. */
export interface EngineOutcome extends Omit<ExecuteResult, "events"> {
  /** JSON. */
  readonly events: string;
  /** JSON; undefined if the command was accepted. */
  readonly rejection?: string;
}

/** The outcome of a command, for callers. */
export function outcomeOf(outcome: EngineOutcome): CommandOutcome {
  const { rejection, events, ...result } = outcome;
  if (rejection === undefined) {
    return { accepted: true, ...result, events: JSON.parse(events) as RecordedEvent[] };
  }
  const { version, replayed } = result;
  return { accepted: false, rejection: JSON.parse(rejection) as Rejection, version, replayed };
}
