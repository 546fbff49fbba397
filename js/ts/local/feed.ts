// Reads and follows the feed of all streams, page by page.

import type { FeedEvent, NewEvent } from "../store/events.js";
import type { ReadAllOptions, SubscribeAllOptions } from "../store/options.js";
import { subscription } from "../store/subscription.js";
import { END, finite, type WantedFeed, wantedToFollow, wantedToRead } from "../store/wanted.js";
import { Turn } from "../time/turn.js";
import type { LocalEngine } from "./engine.js";

/** Reads the events of all streams, up to the last event that exists when the caller takes the first one. */
export async function* readFeed<E extends NewEvent>(
  engine: LocalEngine,
  options: ReadAllOptions,
): AsyncGenerator<FeedEvent<E>, void, undefined> {
  let { left, ...wanted } = wantedToRead(options);
  const end = await engine.end();
  wanted = placed(wanted, end);
  const turn = new Turn();
  for (;;) {
    const page = await engine.readFeed({ ...wanted, limit: finite(left) });
    const events = JSON.parse(page.events) as FeedEvent<E>[];
    for (const event of events) {
      if (event.position > end) return;
      yield event;
      if (turn.isOver()) await turn.pass();
    }
    left -= events.length;
    if (left <= 0 || !page.more) return;
    if (turn.isOver()) await turn.pass();
    wanted = { ...wanted, after: page.checkpoint };
  }
}

/** The wanted part, with a checkpoint in place of the end. */
function placed<Wanted extends WantedFeed>(wanted: Wanted, end: number): Wanted {
  return wanted.after === END ? { ...wanted, after: String(end) } : wanted;
}

/** Follows the events of all streams after a checkpoint: the existing events, and then each new one. */
export function subscribeFeed<E extends NewEvent>(
  engine: LocalEngine,
  options: SubscribeAllOptions,
): AsyncGenerator<FeedEvent<E>, void, undefined> {
  return subscription(options, wantedToFollow, (...following) => follow<E>(engine, ...following));
}

async function* follow<E extends NewEvent>(
  engine: LocalEngine,
  wanted: WantedFeed,
  stop: AbortSignal,
  caughtUp: () => void,
): AsyncGenerator<FeedEvent<E>, void, undefined> {
  const turn = new Turn();
  if (wanted.after === END) wanted = placed(wanted, await engine.end());
  while (!stop.aborted) {
    const mark = await engine.mark();
    const page = await engine.readFeed(wanted);
    const events = JSON.parse(page.events) as FeedEvent<E>[];
    for (const event of events) {
      yield event;
      if (turn.isOver()) await turn.pass();
      if (stop.aborted) return;
    }
    // The checkpoint is also past events that the caller does not want.
    wanted = { ...wanted, after: page.checkpoint };
    if (!page.more) caughtUp();
    if (events.length === 0 && !page.more) {
      await engine.changed(mark, stop);
    } else if (turn.isOver()) await turn.pass();
  }
}
