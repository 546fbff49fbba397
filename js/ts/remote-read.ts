// Reads a stream of a server, line by line.

import { Backoff } from "./backoff.js";
import { SillokError } from "./errors.js";
import type { NewEvent, RecordedEvent } from "./events.js";
import { expected, type Http, lost, parse } from "./http.js";
import type { ReadOptions } from "./options.js";
import { query, type SentRange, sentRange, streamPath } from "./remote-input.js";

/** The form of an answer that is an event a line. */
export const LINES = "application/x-ndjson";

/**
 * Reads up to the version that the stream has at the first answer. An answer that is cut off is gone on with after
 * the last event that came.
 */
export async function* readRemote<E extends NewEvent>(
  http: Http,
  stream: unknown,
  options: ReadOptions,
): AsyncGenerator<RecordedEvent<E>, void, undefined> {
  const path = `${streamPath(stream)}/events`;
  const backoff = new Backoff(http.retries);
  let left = sentRange(options);
  let end: number | undefined;
  for (;;) {
    const ask = { method: "GET", path: path + query(left), status: 200, type: LINES } as const;
    const response = await http.ask({ ...ask, headers: { Accept: LINES } }, keep, backoff);
    if (end === undefined) {
      end = versionIn(response);
      left = { ...left, to: Math.min(left.to ?? end, end) };
    }
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
        const event = expected<RecordedEvent<E>>(parse(next), "version", "number");
        left = rest(left, event.version);
        backoff.reset();
        yield event;
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
  const response = await http.ask({ method: "GET", path, status: 200, type: LINES, headers }, keep);
  versionIn(response);
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

/** Takes an answer as it is, to be read later. */
export const keep = (response: Response) => response;

/** The stream's version, which is the answer's entity tag. */
function versionIn(response: Response): number {
  const tag = /^(?:W\/)?"(\d+)"$/.exec(response.headers.get("ETag") ?? "");
  if (tag !== null) return Number(tag[1]);
  throw new SillokError({ code: "invalid_answer", detail: "the server's answer has no version" });
}

/** The next line, or undefined at the end, or the error by which the answer was cut off. */
export async function nextLine(
  events: AsyncGenerator<string, void, undefined>,
): Promise<string | undefined | SillokError> {
  try {
    const next = await events.next();
    return next.done === true ? undefined : next.value;
  } catch (error) {
    return lost(error);
  }
}

/** The body of an answer, also where it has none. */
export function readerOf(response: Response): ReadableStreamDefaultReader<Uint8Array> {
  return (response.body ?? new Blob().stream()).getReader();
}

/** The lines that are read, which must all be whole. They are read no faster than they are asked for. */
export async function* lines(
  reader: ReadableStreamDefaultReader<Uint8Array>,
): AsyncGenerator<string, void, undefined> {
  const decoder = new TextDecoder("utf-8", { fatal: true });
  let begun = "";
  try {
    for (;;) {
      const { done, value } = await reader.read();
      if (done) break;
      const [first = "", ...others] = decoder.decode(value, { stream: true }).split("\n");
      begun += first;
      for (const other of others) {
        yield begun;
        begun = other;
      }
    }
    if (begun !== "") throw new Error("the last line is not whole");
  } finally {
    // Of what is not read any more, nobody is told that it was cut off.
    await reader.cancel().catch(() => undefined);
  }
}

/** What is still to be read after the event of this version. */
function rest(range: SentRange, seen: number): SentRange {
  const limit = range.limit === undefined ? undefined : range.limit - 1;
  return range.direction === "backward"
    ? { ...range, to: seen - 1, limit }
    : { ...range, from: seen + 1, limit };
}

function isEmpty({ from = 1, to = Infinity, limit }: SentRange): boolean {
  return limit === 0 || from > to;
}
