import type { Rejection } from "../store/errors.js";
import type { RecordedEvent } from "../store/events.js";
import type { CommandOutcome, ExecuteResult } from "./aggregate-store.js";

/** The outcome of a command, as an engine gives it. */
export interface EngineOutcome extends Omit<ExecuteResult, "events"> {
  /** JSON. */
  readonly events: string;
  /** JSON; undefined if the command was accepted. */
  readonly rejection?: string;
}

// Each field by its name: a copy of the rest of an object is slow.
/** The outcome of a command, for callers. */
export function outcomeOf({
  rejection,
  events,
  stream,
  firstVersion,
  version,
  time,
  replayed,
}: EngineOutcome): CommandOutcome {
  if (rejection !== undefined) {
    return { accepted: false, rejection: JSON.parse(rejection) as Rejection, version, replayed };
  }
  const recorded = JSON.parse(events) as RecordedEvent[];
  return { accepted: true, stream, firstVersion, version, time, events: recorded, replayed };
}
