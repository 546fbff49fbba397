// Follows what a server sends as server-sent events.

import { SillokError } from "../store/errors.js";
import { Backoff } from "./backoff.js";
import type { HttpRequest, Http } from "./http.js";
import { lines, nextLine, readerOf } from "./lines.js";

const MESSAGES = "text/event-stream";
/** The server says something every 15 seconds. A connection from which nothing comes for so long is dead. */
const SILENCE_MILLISECONDS = 40_000;

/** A message; either part may be empty. */
export interface SseMessage {
  /** From where to go on after it. */
  readonly id: string;
  /** An event. */
  readonly data: string;
}

/**
 * What `take` makes of each message, but for nothing. A connection that is lost is made again, by what `ask` asks then.
 */
export async function* messagesOf<T>(
  http: Http,
  ask: () => Pick<HttpRequest, "path" | "fields">,
  take: (message: SseMessage) => T | undefined,
  stop: AbortSignal,
): AsyncGenerator<T, void, undefined> {
  const backoff = new Backoff(Infinity);
  while (!stop.aborted) {
    const response = await connected(http, ask(), backoff, stop);
    if (response === undefined) return;
    for await (const message of messages(response, stop)) {
      const event = take(message);
      // Each message has come further than the one before, also one without an event.
      backoff.reset();
      if (event !== undefined) yield event;
    }
    await backoff.wait(undefined, stop).catch(() => undefined);
  }
}

/** An answer that goes on, or nothing when the subscription was ended meanwhile. */
async function connected(
  http: Http,
  wanted: Pick<HttpRequest, "path" | "fields">,
  backoff: Backoff,
  signal: AbortSignal,
): Promise<Response | undefined> {
  const headers = { Accept: MESSAGES };
  const ask = { ...wanted, method: "GET", headers, status: 200, type: MESSAGES, signal } as const;
  try {
    return await http.ask(ask, (response) => response, backoff);
  } catch (error) {
    if (signal.aborted) return undefined;
    throw error;
  }
}

/** Each message, until the answer ends or is cut off, which is the same here, or nothing comes any more. */
async function* messages(
  response: Response,
  signal: AbortSignal,
): AsyncGenerator<SseMessage, void, undefined> {
  const reader = readerOf(response);
  // A read that is waited for ends by this, also where a `fetch` of the caller's passes over the signal.
  const end = () => void reader.cancel().catch(() => undefined);
  signal.addEventListener("abort", end);
  const received = lines(reader);
  let [id, data] = ["", ""];
  try {
    while (!signal.aborted) {
      const silence = setTimeout(end, SILENCE_MILLISECONDS);
      const line = await nextLine(received);
      clearTimeout(silence);
      if (line === undefined || line instanceof SillokError) return;
      if (line.startsWith("id: ")) id = line.slice("id: ".length);
      if (line.startsWith("data: ")) data += line.slice("data: ".length);
      if (line !== "" || `${id}${data}` === "") continue;
      yield { id, data };
      [id, data] = ["", ""];
    }
  } finally {
    signal.removeEventListener("abort", end);
    await received.return(undefined);
  }
}
