// The feed of a server: read up to its end, line by line, or followed.

import { SillokError } from "../store/errors.js";
import type { FeedEvent, NewEvent } from "../store/events.js";
import type { ReadAllOptions, SubscribeAllOptions } from "../store/options.js";
import { subscription } from "../store/subscription.js";
import { finite, type WantedFeed, wantedToFollow, wantedToRead } from "../store/wanted.js";
import { Backoff } from "./backoff.js";
import { checkedAnswer, type Http, parse } from "./http.js";
import { feedRequest } from "./input.js";
import { asItIs, LINES, lines, nextLine, readerOf } from "./lines.js";
import { type SseMessage, messagesOf } from "./sse.js";

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
    const ask = feedRequest(wanted, { limit: finite(left), progress: "true" });
    const events = lines(readerOf(await http.ask({ ...form, ...ask }, asItIs, backoff)));
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
  }
}

/** The events of all streams after a checkpoint, and then each as it is appended. */
export function subscribeRemoteFeed<E extends NewEvent>(
  http: Http,
  options: SubscribeAllOptions,
): AsyncGenerator<FeedEvent<E>, void, undefined> {
  const follow = (wanted: WantedFeed, stop: AbortSignal) => {
    let { after } = wanted;
    const ask = () => feedRequest({ ...wanted, after });
    const take = ({ id, data }: SseMessage) => {
      // Also one without an event tells how far the server has looked.
      if (id !== "") after = id;
      return data === ""
        ? undefined
        : checkedAnswer<FeedEvent<E>>(parse(data), "checkpoint", "string");
    };
    return messagesOf(http, ask, take, stop);
  };
  return subscription(options, wantedToFollow, follow);
}
