// Reads a stream of a server, line by line.

import { SillokError } from "../store/errors.js";
import type { NewEvent, RecordedEvent } from "../store/events.js";
import type { ReadOptions } from "../store/options.js";
import { Backoff } from "./backoff.js";
import { checkedAnswer, type Http, parse } from "./http.js";
import { query, type SentRange, sentRange, streamPath } from "./input.js";
import { asItIs, LINES, lines, nextLine, readerOf } from "./lines.js";

/** A line without an event: up to which version the server has looked. */
type StreamProgress = Pick<RecordedEvent, "version">;

/**
 * Reads up to the version that the stream has at the first answer. An answer that is cut off is gone on with after
 * the last line that came, which may tell only how far the server has looked. What the first answer promised must then
 * still be shown.
 */
export async function* readRemote<E extends NewEvent>(
  http: Http,
  stream: unknown,
  options: ReadOptions,
): AsyncGenerator<RecordedEvent<E>, void, undefined> {
  const path = `${streamPath(stream)}/events`;
  const backoff = new Backoff(http.retries);
  let left = sentRange(options);
  // Where every line is an event, each tells how far the server has looked.
  const progress = left.type === undefined ? {} : { progress: "true" };
  const form = { method: "GET", headers: { Accept: LINES }, status: 200, type: LINES } as const;
  for (;;) {
    const ask = { ...form, path: path + query({ ...left, ...progress }) };
    const response = await http.ask(ask, asItIs, backoff);
    if (left.complete === undefined) left = promised(left, response);
    const events = lines(readerOf(response));
    try {
      for (;;) {
        const next = await nextLine(events);
        if (next instanceof SillokError) {
          if (isEmpty(left)) return;
          await backoff.wait(next);
          break;
        }
        if (next === undefined) return;
        const line = checkedAnswer<RecordedEvent<E> | StreamProgress>(
          parse(next),
          "version",
          "number",
        );
        const isEvent = "type" in line;
        left = rest(left, line.version, isEvent ? 1 : 0);
        backoff.reset();
        if (isEvent) yield line;
      }
    } finally {
      await events.return(undefined);
    }
  }
}

/** The commits, which are not gone on with: half an export is none. */
export async function* exportRemote(
  http: Http,
  stream: unknown,
): AsyncGenerator<string, void, undefined> {
  const path = `${streamPath(stream)}/commits`;
  const headers = { Accept: LINES };
  const response = await http.ask(
    { method: "GET", path, status: 200, type: LINES, headers },
    asItIs,
  );
  shownIn(response);
  const commits = lines(readerOf(response));
  try {
    for (;;) {
      const next = await nextLine(commits);
      if (next instanceof SillokError) throw next;
      if (next === undefined) return;
      // Whether it is a commit is for who verifies it to say.
      if (!next.startsWith("{")) parse(next);
      yield next;
    }
  } finally {
    await commits.return(undefined);
  }
}

/** The part of a range that the stream had at the first answer, all of which is to be read. */
function promised(range: SentRange, response: Response): SentRange {
  const { first, end } = shownIn(response);
  const [from, to] = [Math.max(range.from ?? 1, first), Math.min(range.to ?? end, end)];
  return { ...range, from, to, complete: "true" };
}

/** The first version of the stream that is shown, and the last: they are the answer's entity tag. */
function shownIn(response: Response): { first: number; end: number } {
  const tag = /^(?:W\/)?"(\d+)(?:\.(\d+))?"$/.exec(response.headers.get("ETag") ?? "");
  if (tag !== null) return { first: Number(tag[2] ?? 1), end: Number(tag[1]) };
  throw new SillokError({ code: "invalid_answer", detail: "the server's answer has no version" });
}

/** What is still to be read after the line of this version, which has so many events. */
function rest(range: SentRange, seen: number, events: 0 | 1): SentRange {
  const limit = range.limit === undefined ? undefined : range.limit - events;
  return range.direction === "backward"
    ? { ...range, to: seen - 1, limit }
    : { ...range, from: seen + 1, limit };
}

function isEmpty({ from = 1, to = Infinity, limit }: SentRange): boolean {
  return limit === 0 || from > to;
}
