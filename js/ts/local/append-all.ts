// The appends of one call to several streams, as the engine takes them.

import { SillokError } from "../store/errors.js";
import { invalid } from "../store/invalid.js";
import { writeJson } from "../store/json.js";
import { checkOptions, type StreamAppend } from "../store/options.js";
import type { EngineAppend } from "./pages.js";

const OPTIONS = [
  "stream",
  "events",
  "expectedVersion",
  "idempotencyKey",
] as const satisfies (keyof StreamAppend)[];

/** Writes the events of each append as JSON. The engine checks everything else. */
export function engineAppends(appends: readonly StreamAppend<any>[]): EngineAppend[] {
  if (!Array.isArray(appends)) throw invalid("appends", "must be an array");
  return appends.map((append, place) => within(`appends[${place}]`, () => engineAppend(append)));
}

function engineAppend(append: StreamAppend<any>): EngineAppend {
  checkOptions(append, OPTIONS);
  const { stream, events, expectedVersion, idempotencyKey } = append;
  const { text } = writeJson(events, Array.isArray(events) ? "events" : "");
  return [stream, text, expectedVersion, idempotencyKey];
}

/** Calls `work`. The field of a refusal is within `place`. */
function within<T>(place: string, work: () => T): T {
  try {
    return work();
  } catch (refused) {
    if (!(refused instanceof SillokError)) throw refused;
    const { code, message: detail, field } = refused;
    throw new SillokError({ code, detail, field: field ? `${place}.${field}` : place });
  }
}
