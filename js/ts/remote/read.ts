// Reads and exports a stream of a server, line by line.

import { SillokError } from "../store/errors.js";
import type { NewEvent, RecordedEvent, StreamHead } from "../store/events.js";
import type { ReadOptions } from "../store/options.js";
import { Backoff } from "./backoff.js";
import { checkedAnswer, type Http, parse } from "./http.js";
import { query, type SentRange, sentRange, streamPath } from "./input.js";
import { asItIs, LINES, lines, nextLine, readerOf } from "./lines.js";

/** A line without an event: the version up to which the server has searched. */
type StreamProgress = Pick<RecordedEvent, "version">;

/** The first version of the stream that readers see, and its last version. */
export interface ShownVersions {
  readonly first: number;
  readonly end: number;
}

/**
 * Reads up to the version that the stream has at the first answer. If an answer is cut off, the read continues after the last
 * line, with or without an event. The stream must then still have the events of the first answer's range. `answered` gets the
 * versions of the stream at the first answer, before the first event.
 */
export async function* readRemote<E extends NewEvent>(
  http: Http,
  stream: unknown,
  options: ReadOptions,
  answered: (versions: ShownVersions) => void = () => {},
): AsyncGenerator<RecordedEvent<E>, void, undefined> {
  const path = `${streamPath(stream)}/events`;
  const backoff = new Backoff(http.retries);
  let left = sentRange(options);
  // Without a type, every line is an event, and its version is the progress.
  const progress = left.type === undefined ? {} : { progress: "true" };
  const form = { method: "GET", headers: { Accept: LINES }, status: 200, type: LINES } as const;
  for (;;) {
    const request = { ...form, path: path + query({ ...left, ...progress }) };
    const response = await http.send(request, asItIs, backoff);
    if (left.complete === undefined) {
      const shown = shownIn(response);
      answered(shown);
      left = promised(left, shown);
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

/** The head of a stream, also of one that was deleted or never had an event. */
export async function remoteHead(http: Http, name: string): Promise<StreamHead> {
  const path = `${streamPath(name)}?absent=true`;
  const answer = await http.json({ method: "GET", path, status: 200 });
  const head = checkedAnswer<StreamHead>(answer, "version", "number");
  const { stream, version, firstVersion, time, deleted } = head;
  return { stream, version, firstVersion, time, deleted };
}

/** Exports the commits. An export that is cut off does not continue. */
export async function* exportRemote(
  http: Http,
  stream: unknown,
): AsyncGenerator<string, void, undefined> {
  const path = `${streamPath(stream)}/commits`;
  const headers = { Accept: LINES };
  const response = await http.send(
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
      // The verification decides whether the line is a commit.
      if (!next.startsWith("{")) parse(next);
      yield next;
    }
  } finally {
    await commits.return(undefined);
  }
}

/** The part of a range that the stream has at the first answer. The read returns all of it. */
function promised(range: SentRange, { first, end }: ShownVersions): SentRange {
  const [from, to] = [Math.max(range.from ?? 1, first), Math.min(range.to ?? end, end)];
  return { ...range, from, to, complete: "true" };
}

/** The versions of the stream. The answer's entity tag has them. */
function shownIn(response: Response): ShownVersions {
  const tag = /^(?:W\/)?"(\d+)(?:\.(\d+))?"$/.exec(response.headers.get("ETag") ?? "");
  if (tag !== null) return { first: Number(tag[2] ?? 1), end: Number(tag[1]) };
  throw new SillokError({
    code: "invalid_answer",
    detail: "the server's answer must have the version as its ETag, as Sillok sends it",
  });
}

/** The rest of a range after the line of this version, which has no event or one. */
function rest(range: SentRange, seen: number, events: 0 | 1): SentRange {
  const limit = range.limit === undefined ? undefined : range.limit - events;
  return range.direction === "backward"
    ? { ...range, to: seen - 1, limit }
    : { ...range, from: seen + 1, limit };
}

function isEmpty({ from = 1, to = Infinity, limit }: SentRange): boolean {
  return limit === 0 || from > to;
}
