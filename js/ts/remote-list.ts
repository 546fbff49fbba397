// Lists of a server: the feed up to its end, line by line, and the directory, page by page.

import { Backoff } from "./backoff.js";
import { SillokError } from "./errors.js";
import type { FeedEvent, NewEvent, StreamEntry } from "./events.js";
import { expected, type Http, parse } from "./http.js";
import type { ReadAllOptions, StreamsOptions } from "./options.js";
import { directoryAsk, feedAsk } from "./remote-input.js";
import { keep, LINES, lines, nextLine, readerOf } from "./remote-read.js";
import { wantedToList, wantedToRead } from "./wanted.js";

const PAGE = 1000;

/** A line without an event: how far the server has looked. */
type FeedProgress = Pick<FeedEvent, "checkpoint">;

/**
 * The events of all streams, up to the end that their feed has at the first answer. An answer that is cut off is gone on
 * with after the last line that came, which may tell only how far the server has looked, up to the end that there is then.
 */
export async function* readRemoteFeed<E extends NewEvent>(
  http: Http,
  options: ReadAllOptions,
): AsyncGenerator<FeedEvent<E>, void, undefined> {
  let { left, ...wanted } = wantedToRead(options);
  const backoff = new Backoff(http.retries);
  const form = { method: "GET", headers: { Accept: LINES }, status: 200, type: LINES } as const;
  while (left > 0) {
    const limit = Number.isFinite(left) ? left : undefined;
    const ask = feedAsk(wanted, { limit, progress: "true" });
    const events = lines(readerOf(await http.ask({ ...form, ...ask }, keep, backoff)));
    try {
      for (;;) {
        const next = await nextLine(events);
        if (next instanceof SillokError) {
          if (left > 0) await backoff.wait(next);
          break;
        }
        if (next === undefined) return;
        const line = expected<FeedEvent<E> | FeedProgress>(parse(next), "checkpoint", "string");
        wanted = { ...wanted, after: line.checkpoint };
        backoff.reset();
        if (!("position" in line)) continue;
        left -= 1;
        yield line;
      }
    } finally {
      await events.return(undefined);
    }
  }
}

/**
 * The streams that there are. The next page begins after what the address in `next` says, which may be a name or, as `next`,
 * what only the server can read. A page may be empty and yet have a next.
 */
export async function* remoteStreams(
  http: Http,
  options: StreamsOptions,
): AsyncGenerator<StreamEntry, void, undefined> {
  let { left, ...wanted } = wantedToList(options);
  let place: { after?: string | undefined; next?: string | undefined } = {};
  for (;;) {
    const ask = directoryAsk({ ...wanted, ...place }, Math.min(left, PAGE));
    const answer = await http.json({ ...ask, method: "GET", status: 200 });
    const page = expected<{ streams: StreamEntry[]; next?: unknown }>(answer, "streams", "object");
    for (const stream of page.streams) yield stream;
    left -= page.streams.length;
    if (left <= 0 || typeof page.next !== "string") return;
    const { searchParams } = new URL(page.next, "http://sillok");
    const [after, next] = ["after", "next"].map((name) => searchParams.get(name) ?? undefined);
    if (after === undefined && next === undefined) {
      const detail = "the server's answer does not say where its list goes on";
      throw new SillokError({ code: "invalid_answer", detail });
    }
    place = { after, next };
  }
}
