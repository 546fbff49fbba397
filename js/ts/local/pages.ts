// Pages, as the engine gives them and is asked for them.

import type { StreamEntry } from "../store/events.js";

/** A page of a stream, its events as JSON. */
export interface StreamPage {
  readonly version: number;
  readonly events: string;
  readonly next?: ReadRange;
}

/** A page of commits, one a line. */
export interface CommitsPage {
  readonly version: number;
  readonly text: string;
  readonly next?: string;
}

/** What to read; unchecked when it comes from the caller. */
export interface ReadRange {
  readonly from?: number | undefined;
  readonly to?: number | undefined;
  readonly limit?: number | undefined;
  readonly direction?: string | undefined;
  readonly type?: string | undefined;
  /** Of a next page, whose events must still be shown. */
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
