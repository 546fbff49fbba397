import type { Aggregate } from "../aggregate/types.js";
import { failed } from "../aggregate/called.js";
import { checkData } from "../aggregate/decided.js";
import { definitionOf, type EventDefinitions, upcast } from "../aggregate/events.js";
import { deepFreeze } from "../aggregate/freeze.js";
import { invalidAggregate, isAggregate } from "../aggregate/definition.js";
import type { Behaviour } from "../aggregate/behaviour.js";
import type { NewEvent } from "../store/events.js";
import { writeExactJson } from "../store/json.js";
import { DifferenceError } from "./difference-error.js";
import type { StoredEvent } from "./history.js";

/** Fails unless the value is an aggregate. */
export function checkAggregate(aggregate: unknown): void {
  if (!isAggregate(aggregate))
    throw invalidAggregate("aggregate", "must be a result of `aggregate` or `process`");
}

/** The id of the stream in tests. */
export function streamOf({ name }: Aggregate): string {
  return `${name}-1`;
}

/**
 * The events as the engine passes them to `fold`, each as JSON. Checks new events by their schemas, and old events after their
 * upcasts.
 */
export function storedTexts(
  { events }: Aggregate,
  behaviour: Behaviour,
  history: readonly (NewEvent | StoredEvent)[],
  name: string,
): string[] {
  return history.map((event, place) => {
    const at = `${name}[${place}]`;
    const text = exactText(event, at);
    const { type, data = null, schemaVersion } = JSON.parse(text) as StoredEvent;
    if (schemaVersion === undefined) behaviour.check(`[${text}]`);
    else checkUpcasts(events, { type, schemaVersion, data }, at);
    const version = schemaVersion ?? definitionOf(events, type)?.schemaVersion ?? 1;
    return writeExactJson([place + 1, type, version, data], at);
  });
}

/** Fails if the upcasts of an old event make data that its schema refuses. */
function checkUpcasts(events: EventDefinitions, event: StoredEvent, at: string): void {
  const { type, schemaVersion, data } = event;
  if (schemaVersion >= (definitionOf(events, type)?.schemaVersion ?? 1)) return;
  let newest: unknown;
  try {
    newest = upcast(events, { type, schemaVersion, data });
  } catch {
    // The fold of the event reports it.
    return;
  }
  try {
    checkData(events, type, deepFreeze(newest), "");
  } catch (refused) {
    const wrong = `the upcasts of ${type} from schema version ${schemaVersion} return wrong data`;
    throw failed(`${at}: ${wrong}: ${(refused as Error).message}`, refused);
  }
}

/** A value as JSON. Fails if JSON changes the value. */
export function exactText(value: unknown, name: string): string {
  try {
    return writeExactJson(value, name);
  } catch (refused) {
    const headline = `JSON changes ${name}: ${(refused as Error).message}`;
    throw new DifferenceError(
      headline,
      value,
      JSON.parse(JSON.stringify(value) ?? "null"),
      refused,
    );
  }
}
