// Follows the server-sent events of a server.

import { SillokError } from "../store/errors.js";
import { Backoff } from "./backoff.js";
import type { HttpRequest, Http } from "./http.js";
import { lines, nextLine, readerOf } from "./lines.js";

const MESSAGES = "text/event-stream";
/** A connection without data for this time is dead. The server sends data every 15 seconds. */
const SILENCE_MILLISECONDS = 40_000;

/** A message; either part may be empty. */
export interface SseMessage {
  /** The place after this message. */
  readonly id: string;
  /** An event. */
  readonly data: string;
}

/** A message with its name, which is empty for an event. */
interface NamedMessage extends SseMessage {
  readonly name: string;
}

/** The name of the message after the existing events. */
const CAUGHT_UP = "caught-up";

/**
 * Yields the result of `take` for each message, unless it is undefined. After a lost connection it sends a new request. It calls
 * `caughtUp` when the caller has taken the existing events.
 */
export async function* messagesOf<T>(
  http: Http,
  request: () => Pick<HttpRequest, "path" | "fields">,
  take: (message: SseMessage) => T | undefined,
  stop: AbortSignal,
  caughtUp?: () => void,
): AsyncGenerator<T, void, undefined> {
  const backoff = new Backoff(Infinity);
  while (!stop.aborted) {
    const response = await connected(http, request(), backoff, stop);
    if (response === undefined) return;
    for await (const { id, name, data } of messages(response, stop)) {
      // A message with a name is no event. Only its place counts.
      const event = take({ id, data: name === "" ? data : "" });
      // Each message is progress, also one without an event.
      backoff.reset();
      if (event !== undefined) yield event;
      if (name === CAUGHT_UP) caughtUp?.();
    }
    await backoff.wait(undefined, stop).catch(() => undefined);
  }
}

/** An open answer, or undefined if the subscription has ended meanwhile. */
async function connected(
  http: Http,
  wanted: Pick<HttpRequest, "path" | "fields">,
  backoff: Backoff,
  signal: AbortSignal,
): Promise<Response | undefined> {
  const headers = { Accept: MESSAGES };
  const request = {
    ...wanted,
    method: "GET",
    headers,
    status: 200,
    type: MESSAGES,
    signal,
  } as const;
  try {
    return await http.send(request, (response) => response, backoff);
  } catch (error) {
    if (signal.aborted) return undefined;
    throw error;
  }
}

/** The messages, until the answer ends, is cut off, or has no data for too long. */
async function* messages(
  response: Response,
  signal: AbortSignal,
): AsyncGenerator<NamedMessage, void, undefined> {
  const reader = readerOf(response);
  // This ends a waiting read, also if the caller's own `fetch` ignores the signal.
  const end = () => void reader.cancel().catch(() => undefined);
  signal.addEventListener("abort", end);
  const received = lines(reader);
  let [id, name, data] = ["", "", ""];
  try {
    while (!signal.aborted) {
      const silence = setTimeout(end, SILENCE_MILLISECONDS);
      const line = await nextLine(received);
      clearTimeout(silence);
      if (line === undefined || line instanceof SillokError) return;
      if (line.startsWith("id: ")) id = line.slice("id: ".length);
      if (line.startsWith("event: ")) name = line.slice("event: ".length);
      if (line.startsWith("data: ")) data += line.slice("data: ".length);
      if (line !== "" || `${id}${data}` === "") continue;
      yield { id, name, data };
      [id, name, data] = ["", "", ""];
    }
  } finally {
    signal.removeEventListener("abort", end);
    await received.return(undefined);
  }
}
