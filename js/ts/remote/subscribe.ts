// Follows a stream of a server.

import type { NewEvent, RecordedEvent } from "../store/events.js";
import type { SubscribeOptions } from "../store/options.js";
import { subscription } from "../store/subscription.js";
import { type WantedStream, wantedStream } from "../store/wanted.js";
import { checkedAnswer, type Http, parse } from "./http.js";
import { query, sentRange, streamPath } from "./input.js";
import { type SseMessage, messagesOf } from "./sse.js";

/** Follows the events of a stream after a version: the existing events, and then each new one. */
export function subscribeRemote<E extends NewEvent>(
  http: Http,
  stream: unknown,
  options: SubscribeOptions,
): AsyncGenerator<RecordedEvent<E>, void, undefined> {
  const follow = ({ after: seen, type }: WantedStream, stop: AbortSignal, caughtUp: () => void) => {
    const events = `${streamPath(stream)}/events`;
    const request = () => {
      const position = seen === 0 ? {} : { from: seen + 1 };
      return { path: events + query(sentRange({ type, ...position })) };
    };
    const take = ({ id, data }: SseMessage) => {
      const event =
        data === "" ? undefined : checkedAnswer<RecordedEvent<E>>(parse(data), "version", "number");
      // A message without an event also has the progress of the server.
      const version = event?.version ?? Number(id);
      if (!(version > seen)) return undefined;
      seen = version;
      return event;
    };
    return messagesOf(http, request, take, stop, caughtUp);
  };
  return subscription(options, wantedStream, follow);
}
