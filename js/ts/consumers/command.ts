import { writeJson } from "../json.js";
import { type AppendOptions, checkOptions } from "../options.js";

const OPTIONS = ["expectedVersion"] as const satisfies (keyof AppendOptions)[];

/** What a reactor appends, as the engine takes it: the events as JSON, and the expected version, still to be checked. */
export function commandOf(
  events: unknown,
  options: AppendOptions,
): [events: string, expected: unknown] {
  checkOptions(options, OPTIONS);
  const { text } = writeJson(events, Array.isArray(events) ? "events" : "");
  return [text, options.expectedVersion];
}
