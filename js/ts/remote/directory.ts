// Lists the directory of a server, page by page.

import { SillokError } from "../store/errors.js";
import type { StreamEntry } from "../store/events.js";
import { PAGE_EVENTS } from "../store/limits.js";
import type { StreamsOptions } from "../store/options.js";
import { wantedToList } from "../store/wanted.js";
import { checkedAnswer, type Http } from "./http.js";
import { directoryRequest } from "./input.js";

/**
 * Lists the streams. The URL in the field `next` has the start of the next page: a stream id as `after`, or an opaque text as
 * `next`. An empty page may have a next page.
 */
export async function* remoteStreams(
  http: Http,
  options: StreamsOptions,
): AsyncGenerator<StreamEntry, void, undefined> {
  let { left, ...wanted } = wantedToList(options);
  let place: { after?: string | undefined; next?: string | undefined } = {};
  for (;;) {
    const request = directoryRequest({ ...wanted, ...place }, Math.min(left, PAGE_EVENTS));
    const answer = await http.json({ ...request, method: "GET", status: 200 });
    const page = checkedAnswer<{ streams: StreamEntry[]; next?: unknown }>(
      answer,
      "streams",
      "object",
    );
    for (const stream of page.streams) yield stream;
    left -= page.streams.length;
    if (left <= 0 || typeof page.next !== "string") return;
    const { searchParams } = new URL(page.next, "http://sillok");
    const [after, next] = ["after", "next"].map((name) => searchParams.get(name) ?? undefined);
    if (after === undefined && next === undefined) {
      const detail =
        "the field `next` of the server's answer must have `after` or `next`, as Sillok sends it";
      throw new SillokError({ code: "invalid_answer", detail });
    }
    place = { after, next };
  }
}
