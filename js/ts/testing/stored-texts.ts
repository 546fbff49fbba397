import type { Aggregate } from "../aggregate/types.js";
import { definitionOf } from "../aggregate/events.js";
import { invalidAggregate, isAggregate } from "../aggregate/definition.js";
import type { Behaviour } from "../aggregate/behaviour.js";
import type { NewEvent } from "../store/events.js";
import { writeExactJson } from "../store/json.js";
import { DifferenceError } from "./difference-error.js";
import type { StoredEvent } from "./history.js";

/** Fails unless the value is an aggregate. */
export function checkAggregate(aggregate: unknown): void {
  if (!isAggregate(aggregate))
    throw invalidAggregate("aggregate", "must be a result of `aggregate`");
}

/** The id of the stream in tests. */
export function streamOf({ name }: Aggregate): string {
  return `${name}-1`;
}

/** The events as the engine passes them to `fold`, each as JSON. Checks new events by their schemas. */
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
    const version = schemaVersion ?? definitionOf(events, type)?.schemaVersion ?? 1;
    return writeExactJson([place + 1, type, version, data], at);
  });
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
