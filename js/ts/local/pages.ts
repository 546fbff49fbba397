// The pages of the engine, and the requests for them.

import type { StreamEntry, StreamHead } from "../store/events.js";
import type { WantedFeed } from "../store/wanted.js";

/** A page of a stream, its events as JSON. */
export interface StreamPage {
  readonly version: number;
  readonly events: string;
  readonly next?: ReadRange;
}

/** A page of commits, one on each line. */
export interface CommitsPage {
  readonly version: number;
  readonly text: string;
  readonly next?: string;
}

/** The range of a read. The range of a caller is unchecked. */
export interface ReadRange {
  readonly from?: number | undefined;
  readonly to?: number | undefined;
  readonly limit?: number | undefined;
  readonly direction?: string | undefined;
  readonly type?: string | undefined;
  /** Set for a next page, whose events the stream must still have. */
  readonly complete?: string;
}

/** A page of the feed, its events as JSON. */
export interface FeedPage {
  readonly events: string;
  readonly checkpoint: string;
  readonly more: boolean;
}

/** A page of the directory. */
export interface StreamsPage {
  readonly streams: readonly StreamEntry[];
  readonly next?: string;
}

/** A page of documents or dead letters. */
export interface ItemsPage<Item, Next> {
  readonly items: readonly Item[];
  readonly next: Next | null;
}

/** One of several appends: the stream, the events as JSON, the expected version and the idempotency key. */
export type EngineAppend = readonly [
  stream: unknown,
  events: string,
  expected: unknown,
  key: unknown,
];

/** The request for a page of the feed. */
export type EngineFeed = WantedFeed & { readonly limit?: number | undefined };

/** The head of a stream. It has no time if the stream never had an event. */
export type EngineHead = Omit<StreamHead, "time"> & { readonly time?: string };
