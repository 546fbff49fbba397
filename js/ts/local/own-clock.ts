import { SillokError } from "../store/errors.js";
import { invalid } from "../store/invalid.js";
import { checkOptions, type StoreOptions } from "../store/options.js";

const STORE_OPTIONS = ["now"] as const satisfies (keyof StoreOptions)[];

/** The clock of a store in memory; undefined for that of the platform. */
export function ownClock(options: unknown): (() => number) | undefined {
  if (typeof options === "string") {
    const detail = "new EventStore() takes no path; EventStore.open(path) opens a file";
    throw new SillokError({ code: "invalid_parameter", detail, field: "path" });
  }
  checkOptions(options as StoreOptions, STORE_OPTIONS);
  const { now } = options as StoreOptions;
  if (now === undefined || typeof now === "function") return now;
  throw invalid("now", "must be a function");
}
