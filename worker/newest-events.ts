// The events of a page in the newest schema versions of the Worker's aggregates.

import { definitionOf, type OldEvent, upcastAt } from "../js/ts/aggregate/events.ts";
import { writeJson } from "../js/ts/store/json.ts";
import type { SillokError } from "../js/ts/store/errors.ts";
import { log } from "./aggregate-code.ts";
import { categoryOf, type Registry } from "./registry.ts";

/** The parts of a stored event that its conversion needs. */
interface StoredEvent extends OldEvent {
  readonly stream: string;
  readonly version: number;
}

/** The parts of an error that the engine passes on. */
type Failure = Pick<SillokError, "code"> & { readonly detail: string };

/** A string, a bracket or a comma of JSON. */
const TOKENS = /"[^"\\]*(?:\\.[^"\\]*)*"|[[\]{},]/g;

/**
 * Shows each event in the newest schema version. `page` is a JSON array of events as the engine writes it. Everything but the
 * data and the schema version of an older event stays the same text, because JavaScript would round some numbers.
 *
 * @returns JSON, or a failure that names the stream, the version and the type of an event that cannot be shown.
 */
export function newestEvents(aggregates: Registry["aggregates"], page: string): string | Failure {
  try {
    const events = JSON.parse(page) as StoredEvent[];
    const newest = events.map((event) => newestOf(aggregates, event));
    if (newest.every((found) => found === undefined)) return page;
    const shown = partsOf(page).map((text, place) => newest[place]?.(text) ?? text);
    return `[${shown.join(",")}]`;
  } catch (thrown) {
    log(thrown);
    const { code, message: detail } = thrown as SillokError;
    return { code, detail };
  }
}

/** Writes the event in its newest schema version, given its text; undefined if it is of this version or has no definition. */
function newestOf(
  aggregates: Registry["aggregates"],
  event: StoredEvent,
): ((text: string) => string) | undefined {
  const { stream, version, type, schemaVersion = 1 } = event;
  const events = aggregates.get(categoryOf(stream))?.events;
  if (events === undefined) return undefined;
  const data = upcastAt(events, event, `version ${version} of ${stream}`);
  const newest = definitionOf(events, type)?.schemaVersion ?? schemaVersion;
  if (newest === schemaVersion) return undefined;
  const shown = `"data":${writeJson(data, "data").text}`;
  return (text) => {
    const members = partsOf(text).flatMap((member) => {
      if (member.startsWith('"schemaVersion":')) return [];
      if (member.startsWith('"type":')) return [member, `"schemaVersion":${newest}`];
      return member.startsWith('"data":') ? [shown] : [member];
    });
    return `{${members.join(",")}}`;
  };
}

/** The texts of the items of a JSON array, or of the members of a JSON object. */
function partsOf(text: string): string[] {
  const parts: string[] = [];
  let depth = 0;
  let begin = 1;
  for (const { 0: token, index } of text.matchAll(TOKENS)) {
    if (token === "[" || token === "{") depth += 1;
    else if (token === "]" || token === "}") depth -= 1;
    const isEnd = depth === 0 || (depth === 1 && token === ",");
    if (!isEnd) continue;
    parts.push(text.slice(begin, index));
    begin = index + 1;
  }
  return parts;
}
