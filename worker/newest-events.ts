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
    let texts: string[] | undefined;
    for (const [place, event] of (JSON.parse(page) as StoredEvent[]).entries()) {
      const { stream, version, type, schemaVersion = 1 } = event;
      const events = aggregates.get(categoryOf(stream))?.events;
      if (events === undefined) continue;
      const data = upcastAt(events, event, `version ${version} of ${stream}`);
      const newest = definitionOf(events, type)?.schemaVersion ?? schemaVersion;
      if (newest === schemaVersion) continue;
      texts ??= partsOf(page);
      texts[place] = withData(texts[place] ?? "", writeJson(data, "data").text, newest);
    }
    return texts === undefined ? page : `[${texts.join()}]`;
  } catch (thrown) {
    log(thrown);
    const { code, message: detail } = thrown as SillokError;
    return { code, detail };
  }
}

/** The text of an event, with these data of this schema version in place of the stored data. */
function withData(event: string, data: string, schemaVersion: number): string {
  const members = partsOf(event).flatMap((member) => {
    if (member.startsWith('"schemaVersion":')) return [];
    if (member.startsWith('"type":')) return [member, `"schemaVersion":${schemaVersion}`];
    return member.startsWith('"data":') ? `"data":${data}` : member;
  });
  return `{${members.join()}}`;
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
