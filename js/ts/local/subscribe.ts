import type { FeedEvent, NewEvent } from "../store/events.js";
import type { SubscribeOptions } from "../store/options.js";
import { subscription } from "../store/subscription.js";
import { type WantedStream, wantedStream } from "../store/wanted.js";
import { Turn } from "../time/turn.js";
import type { LocalEngine } from "./engine.js";

/** Follows a stream page by page: the events after a version, and then each new one. */
export function subscribeStream<E extends NewEvent>(
  engine: LocalEngine,
  stream: unknown,
  options: SubscribeOptions,
): AsyncGenerator<FeedEvent<E>, void, undefined> {
  return subscription(options, wantedStream, (following, stop, caughtUp) =>
    follow<E>(engine, stream, following, stop, caughtUp),
  );
}

async function* follow<E extends NewEvent>(
  engine: LocalEngine,
  stream: unknown,
  { after, type }: WantedStream,
  stop: AbortSignal,
  caughtUp: () => void,
): AsyncGenerator<FeedEvent<E>, void, undefined> {
  const turn = new Turn();
  let from = after + 1;
  while (!stop.aborted) {
    const mark = await engine.mark();
    const page = await engine.readPage(stream, { from, type });
    const events = JSON.parse(page.events) as FeedEvent<E>[];
    for (const event of events) {
      yield event;
      if (turn.isOver()) await turn.pass();
      if (stop.aborted) return;
    }
    // The version is also past events of other types, and past events that were truncated meanwhile.
    from = page.next?.from ?? Math.max(from, page.version + 1);
    if (page.next === undefined) caughtUp();
    if (events.length > 0 || page.next !== undefined) {
      if (turn.isOver()) await turn.pass();
      continue;
    }
    await engine.changed(mark, stop, stream);
  }
}
