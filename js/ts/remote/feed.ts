// Reads and follows the feed of a server.

import { SillokError } from "../store/errors.js";
import type { FeedEnd, FeedEvent, NewEvent } from "../store/events.js";
import type { ReadAllOptions, SubscribeAllOptions } from "../store/options.js";
import { subscription } from "../store/subscription.js";
import { END, finite, type WantedFeed, wantedToFollow, wantedToRead } from "../store/wanted.js";
import { Backoff } from "./backoff.js";
import { checkedAnswer, type Http, parse } from "./http.js";
import { feedRequest } from "./input.js";
import { asItIs, LINES, lines, nextLine, readerOf } from "./lines.js";
import { type SseMessage, messagesOf } from "./sse.js";

/** A line without an event: the checkpoint up to which the server has searched. */
type FeedProgress = Pick<FeedEvent, "checkpoint">;

/**
 * Reads the events of all streams, up to the end of the feed at the first answer. If an answer is cut off, the read continues
 * after the last line, with or without an event, up to the end of the feed at that time.
 */
export async function* readRemoteFeed<E extends NewEvent>(
  http: Http,
  options: ReadAllOptions,
): AsyncGenerator<FeedEvent<E>, void, undefined> {
  let { left, ...wanted } = wantedToRead(options);
  const backoff = new Backoff(http.retries);
  const form = { method: "GET", headers: { Accept: LINES }, status: 200, type: LINES } as const;
  // A read without events is sent too, because the server checks the other options.
  do {
    const request = feedRequest(wanted, { limit: finite(left), progress: "true" });
    const events = lines(readerOf(await http.send({ ...form, ...request }, asItIs, backoff)));
    try {
      for (;;) {
        const next = await nextLine(events);
        if (next instanceof SillokError) {
          if (left > 0) await backoff.wait(next);
          break;
        }
        if (next === undefined) return;
        const line = checkedAnswer<FeedEvent<E> | FeedProgress>(
          parse(next),
          "checkpoint",
          "string",
        );
        wanted = { ...wanted, after: line.checkpoint };
        backoff.reset();
        if (!("position" in line)) continue;
        left -= 1;
        yield line;
      }
    } finally {
      await events.return(undefined);
    }
  } while (left > 0);
}

/** The end of the feed. A position is only in the checkpoint of a feed with one partition. */
export async function remoteEnd(
  http: Http,
  signal?: AbortSignal,
  backoff?: Backoff,
): Promise<FeedEnd> {
  const path = `events?after=${END}&limit=0`;
  const request = { method: "GET", path, status: 200, ...(signal && { signal }) } as const;
  const { checkpoint } = checkedAnswer<FeedProgress>(
    await http.json(request, backoff),
    "checkpoint",
    "string",
  );
  return checkpoint.includes(".") ? { checkpoint } : { checkpoint, position: Number(checkpoint) };
}

/** Follows the events of all streams after a checkpoint: the existing events, and then each new one. */
export function subscribeRemoteFeed<E extends NewEvent>(
  http: Http,
  options: SubscribeAllOptions,
): AsyncGenerator<FeedEvent<E>, void, undefined> {
  return subscription(options, wantedToFollow, (wanted, stop, caughtUp) =>
    follow<E>(http, wanted, stop, caughtUp),
  );
}

async function* follow<E extends NewEvent>(
  http: Http,
  wanted: WantedFeed,
  stop: AbortSignal,
  caughtUp: () => void,
): AsyncGenerator<FeedEvent<E>, void, undefined> {
  let { after } = wanted;
  // The end is asked for once. After a lost connection, it would be another one.
  if (after === END) {
    try {
      after = (await remoteEnd(http, stop, new Backoff(Infinity))).checkpoint;
    } catch (error) {
      if (stop.aborted) return;
      throw error;
    }
  }
  const request = () => feedRequest({ ...wanted, after });
  const take = ({ id, data }: SseMessage) => {
    // A message without an event also has the progress of the server.
    if (id !== "") after = id;
    return data === ""
      ? undefined
      : checkedAnswer<FeedEvent<E>>(parse(data), "checkpoint", "string");
  };
  yield* messagesOf(http, request, take, stop, caughtUp);
}
