// The feed of all streams, and their directory, page by page.

import type { Engine } from "./engine.js";
import type { FeedEvent, NewEvent, StreamEntry } from "./events.js";
import type { ReadAllOptions, StreamsOptions, SubscribeAllOptions } from "./options.js";
import { subscription } from "./subscription.js";
import { Turn } from "./turn.js";
import { type WantedFeed, wantedToFollow, wantedToList, wantedToRead } from "./wanted.js";

/** The events of all streams, up to the last that there is when the first is asked for. */
export async function* readFeed<E extends NewEvent>(
  engine: Engine,
  options: ReadAllOptions,
): AsyncGenerator<FeedEvent<E>, void, undefined> {
  let { left, ...wanted } = wantedToRead(options);
  const end = await engine.end();
  const turn = new Turn();
  for (;;) {
    const page = await engine.readFeed({ ...wanted, limit: limit(left) });
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

/** The events of all streams after a checkpoint, and then each as it is appended. */
export function subscribeFeed<E extends NewEvent>(
  engine: Engine,
  options: SubscribeAllOptions,
): AsyncGenerator<FeedEvent<E>, void, undefined> {
  return subscription(options, wantedToFollow, (wanted, stop) => follow<E>(engine, wanted, stop));
}

async function* follow<E extends NewEvent>(
  engine: Engine,
  wanted: WantedFeed,
  stop: AbortSignal,
): AsyncGenerator<FeedEvent<E>, void, undefined> {
  const turn = new Turn();
  while (!stop.aborted) {
    const mark = await engine.mark();
    const page = await engine.readFeed(wanted);
    const events = JSON.parse(page.events) as FeedEvent<E>[];
    for (const event of events) {
      yield event;
      if (turn.isOver()) await turn.pass();
      if (stop.aborted) return;
    }
    // Also past events that are not wanted.
    wanted = { ...wanted, after: page.checkpoint };
    if (events.length === 0 && !page.more) await engine.changed(mark, stop);
    else if (turn.isOver()) await turn.pass();
  }
}

/** The streams that there are. */
export async function* listStreams(
  engine: Engine,
  options: StreamsOptions,
): AsyncGenerator<StreamEntry, void, undefined> {
  let { left, ...wanted } = wantedToList(options);
  const turn = new Turn();
  for (;;) {
    const { streams, next } = await engine.streams({ ...wanted, limit: limit(left) });
    for (const stream of streams) {
      yield stream;
      if (turn.isOver()) await turn.pass();
    }
    left -= streams.length;
    if (left <= 0 || next === undefined) return;
    if (turn.isOver()) await turn.pass();
    wanted = { ...wanted, after: next };
  }
}

function limit(left: number): number | undefined {
  return Number.isFinite(left) ? left : undefined;
}
