// Checks the options of subscriptions, of reads of the feed and of lists of streams, in the same way for every store.

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
  "onCaughtUp",
  "signal",
] as const satisfies (keyof SubscribeAllOptions)[];
const SUBSCRIBE_STREAM_OPTIONS = [
  "after",
  "type",
  "onCaughtUp",
  "signal",
] as const satisfies (keyof SubscribeOptions)[];
const STREAMS_OPTIONS = [
  "prefix",
  "category",
  "after",
  "limit",
] as const satisfies (keyof StreamsOptions)[];

/** The wanted part of the feed. The store still has to check its names. */
export type WantedFeed = Pick<ReadAllOptions, "category" | "types"> & {
  /** A checkpoint, or {@link END}. */
  readonly after?: string | undefined;
};

/** The value of `after` that means the present end of the feed. */
export const END = "end";
/** The wanted part of the directory. The store still has to check its names. */
export type WantedDirectory = Omit<StreamsOptions, "limit">;

/** Checks the options of a read of the feed. */
export function wantedToRead(options: ReadAllOptions): WantedFeed & { readonly left: number } {
  checkOptions(options, READ_OPTIONS);
  return { ...wanted(options), left: wantedLimit(options.limit) };
}

/** Checks the options of a subscription to the feed. The caller asks for all events explicitly, never by mistake. */
export function wantedToFollow(options: SubscribeAllOptions): WantedFeed {
  checkOptions(options, SUBSCRIBE_OPTIONS);
  const { all, category, types } = options;
  if (all !== undefined && all !== true) throw invalid("all", "must be true");
  const isPart = category !== undefined || types !== undefined;
  if (all && isPart) throw invalid("all", "cannot be combined with `category` or `types`");
  if (!all && !isPart) throw invalid("all", "must be true, unless there is `category` or `types`");
  return wanted(options);
}

/** The wanted part of a stream. The store still has to check the type. */
export interface WantedStream {
  readonly after: number;
  readonly type: string | undefined;
}

/** Checks the options of a subscription to one stream. */
export function wantedStream(options: SubscribeOptions): WantedStream {
  checkOptions(options, SUBSCRIBE_STREAM_OPTIONS);
  const { after = 0, type } = options;
  if (!Number.isSafeInteger(after) || after < 0 || after === Number.MAX_SAFE_INTEGER) {
    throw invalid("after", "must be a version, or 0 for the beginning");
  }
  return { after, type };
}

/** Checks the options of a list of streams. */
export function wantedToList(options: StreamsOptions): WantedDirectory & { readonly left: number } {
  checkOptions(options, STREAMS_OPTIONS);
  const { prefix, category, after, limit } = options;
  for (const [field, text] of Object.entries({ prefix, after })) {
    if (text !== undefined && typeof text !== "string") throw invalid(field, "must be a string");
  }
  return { prefix, category, after, left: wantedLimit(limit) };
}

function wanted({ after, category, types }: ReadAllOptions): WantedFeed {
  const place = checkpointOf(after);
  checkTypes(types);
  return { after: place, category, types };
}

/** The checkpoint of a place. In a feed with one partition, a position is a checkpoint. */
function checkpointOf(after: unknown): string | undefined {
  if (after === undefined || typeof after === "string") return after;
  const { position } = (after ?? {}) as { readonly position?: unknown };
  if (typeof after === "object" && Number.isSafeInteger(position) && (position as number) >= 0) {
    return String(position);
  }
  const detail =
    '`after` must be the checkpoint of an event, which is a string, or `{ position }`, or "end"';
  throw new SillokError({ code: "invalid_checkpoint", detail, field: "after" });
}

/** Refuses a value that is no list of types. The store still has to check the types. */
export function checkTypes(types: unknown): void {
  if (types === undefined || (Array.isArray(types) && types.length > 0)) return;
  throw invalid("types", "must be an array of at least one type");
}

/** Checks a limit. Without one, there is no limit: the number is Infinity. */
export function wantedLimit(limit = Infinity): number {
  if (limit === Infinity || (Number.isSafeInteger(limit) && limit >= 0)) return limit;
  throw invalid("limit", "must be a whole number from 0");
}

/** The limit of a request for a page, or nothing where there is no limit. */
export function finite(left: number): number | undefined {
  return Number.isFinite(left) ? left : undefined;
}
