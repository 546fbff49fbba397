// Follows a stream of a server.

import type { NewEvent, RecordedEvent } from "../store/events.js";
import type { SubscribeOptions } from "../store/options.js";
import { subscription } from "../store/subscription.js";
import { type WantedStream, wantedStream } from "../store/wanted.js";
import { checkedAnswer, type Http, parse } from "./http.js";
import { query, sentRange, streamPath } from "./input.js";
import { type SseMessage, messagesOf } from "./sse.js";

/** The events of a stream after a version, and then each as it is appended. */
export function subscribeRemote<E extends NewEvent>(
  http: Http,
  stream: unknown,
  options: SubscribeOptions,
): AsyncGenerator<RecordedEvent<E>, void, undefined> {
  const follow = ({ after: seen, type }: WantedStream, stop: AbortSignal) => {
    const events = `${streamPath(stream)}/events`;
    const ask = () => {
      const position = seen === 0 ? {} : { from: seen + 1 };
      return { path: events + query(sentRange({ type, ...position })) };
    };
    const take = ({ id, data }: SseMessage) => {
      const event =
        data === "" ? undefined : checkedAnswer<RecordedEvent<E>>(parse(data), "version", "number");
      // Also one without an event tells how far the server has looked.
      const version = event?.version ?? Number(id);
      if (!(version > seen)) return undefined;
      seen = version;
      return event;
    };
    return messagesOf(http, ask, take, stop);
  };
  return subscription(options, wantedStream, follow);
}
