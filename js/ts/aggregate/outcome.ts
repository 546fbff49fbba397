import type { Rejection } from "../store/errors.js";
import type { RecordedEvent } from "../store/events.js";
import type { CommandOutcome, ExecuteResult } from "./aggregate-store.js";
import { type EventDefinitions, newest } from "./events.js";

/** The outcome of a command, as an engine gives it. */
export interface EngineOutcome extends Omit<ExecuteResult, "events"> {
  /** JSON. */
  readonly events: string;
  /** JSON; undefined if the command was accepted. */
  readonly rejection?: string;
}

// Each field by its name: a copy of the rest of an object is slow.
/** The outcome of a command, for callers. The events of a remembered one may be of an older schema version. */
export function outcomeOf(
  { rejection, events, stream, firstVersion, version, time, replayed }: EngineOutcome,
  definitions: EventDefinitions,
): CommandOutcome {
  if (rejection !== undefined) {
    return { accepted: false, rejection: JSON.parse(rejection) as Rejection, version, replayed };
  }
  const stored = JSON.parse(events) as RecordedEvent[];
  const recorded = replayed ? stored.map((event) => newest(definitions, event)) : stored;
  return { accepted: true, stream, firstVersion, version, time, events: recorded, replayed };
}
