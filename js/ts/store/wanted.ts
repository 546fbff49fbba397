// What may be wanted of a stream, of the feed of all streams, and of their directory: checked alike for every store.

import { SillokError } from "./errors.js";
import { invalid } from "./invalid.js";
import {
  checkOptions,
  type ReadAllOptions,
  type StreamsOptions,
  type SubscribeAllOptions,
  type SubscribeOptions,
} from "./options.js";

const READ_OPTIONS = [
  "after",
  "category",
  "types",
  "limit",
] as const satisfies (keyof ReadAllOptions)[];
const SUBSCRIBE_OPTIONS = [
  "all",
  "after",
  "category",
  "types",
  "signal",
] as const satisfies (keyof SubscribeAllOptions)[];
const STREAMS_OPTIONS = [
  "prefix",
  "category",
  "after",
  "limit",
] as const satisfies (keyof StreamsOptions)[];

const SUBSCRIBE_STREAM_OPTIONS = [
  "after",
  "type",
  "signal",
] as const satisfies (keyof SubscribeOptions)[];

/** What is wanted of the feed; names are still to be checked. */
export type WantedFeed = Pick<ReadAllOptions, "after" | "category" | "types">;
/** What is wanted of the directory; names are still to be checked. */
export type WantedDirectory = Omit<StreamsOptions, "limit">;

/** Which part of the feed to read. */
export function wantedToRead(options: ReadAllOptions): WantedFeed & { readonly left: number } {
  checkOptions(options, READ_OPTIONS);
  return { ...wanted(options), left: most(options.limit) };
}

/** Which part of the feed to follow. That all of it is wanted is said, so that no mistake asks for it. */
export function wantedToFollow(options: SubscribeAllOptions): WantedFeed {
  checkOptions(options, SUBSCRIBE_OPTIONS);
  const { all, category, types } = options;
  if (all !== undefined && all !== true) throw invalid("all", "must be true");
  const isPart = category !== undefined || types !== undefined;
  if (all && isPart) throw invalid("all", "is everything: leave out `category` and `types`");
  if (!all && !isPart) throw invalid("all", "must be true, or there must be `category` or `types`");
  return wanted(options);
}

/** From which version on to follow a stream, and events of which type; the type is still to be checked. */
export interface WantedStream {
  readonly after: number;
  readonly type: string | undefined;
}

/** What to follow, for every store. */
export function wantedStream(options: SubscribeOptions): WantedStream {
  checkOptions(options, SUBSCRIBE_STREAM_OPTIONS);
  const { after = 0, type } = options;
  if (!Number.isSafeInteger(after) || after < 0 || after === Number.MAX_SAFE_INTEGER) {
    throw invalid("after", "must be a version, or 0 for the beginning");
  }
  return { after, type };
}

/** Which streams to list. */
export function wantedToList(options: StreamsOptions): WantedDirectory & { readonly left: number } {
  checkOptions(options, STREAMS_OPTIONS);
  const { prefix, category, after, limit } = options;
  for (const [field, text] of Object.entries({ prefix, after })) {
    if (text !== undefined && typeof text !== "string") throw invalid(field, "must be a string");
  }
  return { prefix, category, after, left: most(limit) };
}

function wanted({ after, category, types }: WantedFeed): WantedFeed {
  if (after !== undefined && typeof after !== "string") {
    const detail = "`after` must be the checkpoint of an event, which is a text";
    throw new SillokError({ code: "invalid_checkpoint", detail, field: "after" });
  }
  checkTypes(types);
  return { after, category, types };
}

/** Refuses what is no list of types; the types are still to be checked. */
export function checkTypes(types: unknown): void {
  if (types === undefined || (Array.isArray(types) && types.length > 0)) return;
  throw invalid("types", "must be an array of at least one type");
}

function most(limit = Infinity): number {
  if (limit === Infinity || (Number.isSafeInteger(limit) && limit > 0)) return limit;
  throw invalid("limit", "must be a whole number from 1");
}

/** A limit as a page is asked for with it: nothing where there is none. */
export function finite(left: number): number | undefined {
  return Number.isFinite(left) ? left : undefined;
}
