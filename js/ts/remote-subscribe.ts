// Follows a stream of a server by server-sent events.

import { Backoff } from "./backoff.js";
import { SillokError } from "./errors.js";
import type { NewEvent, RecordedEvent } from "./events.js";
import { type Http, parse } from "./http.js";
import type { SubscribeOptions } from "./options.js";
import { query, sentRange, streamPath } from "./remote-input.js";
import { lines, nextLine, readerOf } from "./remote-read.js";
import { type Following, subscription } from "./subscription.js";

const MESSAGES = "text/event-stream";
/** The server says something every 15 seconds. A connection from which nothing comes for so long is dead. */
const SILENCE_MILLISECONDS = 40_000;

/** The events after a version, and then each as it is appended. */
export function subscribeRemote<E extends NewEvent>(
  http: Http,
  stream: unknown,
  options: SubscribeOptions,
): AsyncGenerator<RecordedEvent<E>, void, undefined> {
  return subscription(options, (following) => follow<E>(http, stream, following));
}

async function* follow<E extends NewEvent>(
  http: Http,
  stream: unknown,
  { after: seen, type, stop }: Following,
): AsyncGenerator<RecordedEvent<E>, void, undefined> {
  const path = `${streamPath(stream)}/events`;
  const backoff = new Backoff(Infinity);
  while (!stop.aborted) {
    const position = query(sentRange({ type, ...(seen === 0 ? {} : { from: seen + 1 }) }));
    const response = await connected(http, path + position, backoff, stop);
    if (response === undefined) return;
    for await (const text of messages(response, stop)) {
      const event = parse(text) as RecordedEvent<E>;
      if (event.version <= seen) continue;
      seen = event.version;
      backoff.reset();
      yield event;
    }
    await backoff.wait(undefined, stop).catch(() => undefined);
  }
}

/** An answer that goes on, or nothing when the subscription was ended meanwhile. */
async function connected(
  http: Http,
  path: string,
  backoff: Backoff,
  signal: AbortSignal,
): Promise<Response | undefined> {
  const headers = { Accept: MESSAGES };
  const ask = { method: "GET", path, headers, status: 200, type: MESSAGES, signal } as const;
  try {
    return await http.ask(ask, (response) => response, backoff);
  } catch (error) {
    if (signal.aborted) return undefined;
    throw error;
  }
}

/** The data of each message, until the answer ends or is cut off, which is the same here, or nothing comes any more. */
async function* messages(
  response: Response,
  signal: AbortSignal,
): AsyncGenerator<string, void, undefined> {
  const reader = readerOf(response);
  // A read that is waited for ends by this, also where a `fetch` of the caller's passes over the signal.
  const end = () => void reader.cancel().catch(() => undefined);
  signal.addEventListener("abort", end);
  const received = lines(reader);
  let data = "";
  try {
    while (!signal.aborted) {
      const silence = setTimeout(end, SILENCE_MILLISECONDS);
      const line = await nextLine(received);
      clearTimeout(silence);
      if (line === undefined || line instanceof SillokError) return;
      if (line.startsWith("data: ")) data += line.slice("data: ".length);
      if (line !== "" || data === "") continue;
      yield data;
      data = "";
    }
  } finally {
    signal.removeEventListener("abort", end);
    await received.return(undefined);
  }
}
