// Follows a stream of a server, and the feed of all.

import type { FeedEvent, NewEvent, RecordedEvent } from "./events.js";
import { expected, type Http, parse } from "./http.js";
import type { SubscribeAllOptions, SubscribeOptions } from "./options.js";
import { feedAsk, query, sentRange, streamPath } from "./remote-input.js";
import { type Message, received } from "./remote-messages.js";
import { type Following, wantedOfStream } from "./subscribe.js";
import { subscription } from "./subscription.js";
import { type WantedFeed, wantedToFollow } from "./wanted.js";

/** The events of a stream after a version, and then each as it is appended. */
export function subscribeRemote<E extends NewEvent>(
  http: Http,
  stream: unknown,
  options: SubscribeOptions,
): AsyncGenerator<RecordedEvent<E>, void, undefined> {
  const follow = ({ after: seen, type }: Following, stop: AbortSignal) => {
    const events = `${streamPath(stream)}/events`;
    const ask = () => {
      const position = seen === 0 ? {} : { from: seen + 1 };
      return { path: events + query(sentRange({ type, ...position })) };
    };
    const take = ({ id, data }: Message) => {
      const event =
        data === "" ? undefined : expected<RecordedEvent<E>>(parse(data), "version", "number");
      // Also one without an event tells how far the server has looked.
      const version = event?.version ?? Number(id);
      if (!(version > seen)) return undefined;
      seen = version;
      return event;
    };
    return received(http, ask, take, stop);
  };
  return subscription(options, wantedOfStream, follow);
}

/** The events of all streams after a checkpoint, and then each as it is appended. */
export function subscribeRemoteFeed<E extends NewEvent>(
  http: Http,
  options: SubscribeAllOptions,
): AsyncGenerator<FeedEvent<E>, void, undefined> {
  const follow = (wanted: WantedFeed, stop: AbortSignal) => {
    let { after } = wanted;
    const ask = () => feedAsk({ ...wanted, after });
    const take = ({ id, data }: Message) => {
      // Also one without an event tells how far the server has looked.
      if (id !== "") after = id;
      return data === "" ? undefined : expected<FeedEvent<E>>(parse(data), "checkpoint", "string");
    };
    return received(http, ask, take, stop);
  };
  return subscription(options, wantedToFollow, follow);
}
