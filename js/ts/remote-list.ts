// Lists of a server, page by page: the feed up to its end, and the directory.

import type { FeedEvent, NewEvent, StreamEntry } from "./events.js";
import { type Ask, expected, type Http } from "./http.js";
import type { ReadAllOptions, StreamsOptions } from "./options.js";
import { directoryAsk, feedAsk } from "./remote-input.js";
import { wantedToList, wantedToRead } from "./wanted.js";

const PAGE = 1000;

/** What to ask for the page that begins after something. */
type AskAfter = (after: string | undefined, limit: number) => Pick<Ask, "path" | "fields">;

/** The events of all streams, up to the end that their feed has. */
export async function* readRemoteFeed<E extends NewEvent>(
  http: Http,
  options: ReadAllOptions,
): AsyncGenerator<FeedEvent<E>, void, undefined> {
  const { left, ...wanted } = wantedToRead(options);
  const ask: AskAfter = (after, limit) => feedAsk({ ...wanted, after }, limit);
  yield* pages<FeedEvent<E>>(http, ask, wanted.after, left, "events");
}

/** The streams that there are. */
export async function* remoteStreams(
  http: Http,
  options: StreamsOptions,
): AsyncGenerator<StreamEntry, void, undefined> {
  const { left, ...wanted } = wantedToList(options);
  const ask: AskAfter = (after, limit) => directoryAsk({ ...wanted, after }, limit);
  yield* pages<StreamEntry>(http, ask, wanted.after, left, "streams");
}

/** What stands in the field of each page. The next one begins after what the address in `next` says. */
async function* pages<T>(
  http: Http,
  askAfter: AskAfter,
  after: string | undefined,
  left: number,
  field: string,
): AsyncGenerator<T, void, undefined> {
  for (;;) {
    const ask = askAfter(after, Math.min(left, PAGE));
    const answer = await http.json({ ...ask, method: "GET", status: 200 });
    const page = expected<Record<string, unknown>>(answer, field, "object");
    const found = page[field] as T[];
    for (const one of found) yield one;
    left -= found.length;
    if (left <= 0 || typeof page["next"] !== "string") return;
    after = new URL(page["next"], "http://sillok").searchParams.get("after") ?? after;
  }
}
