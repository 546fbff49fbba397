import type { FeedEvent, NewEvent, StreamHead } from "../store/events.js";
import { checkOptions, type ReadOptions } from "../store/options.js";
import type { PendingKind } from "../store/pending.js";
import { finite } from "../store/wanted.js";
import { Turn } from "../time/turn.js";
import type { LocalEngine } from "./engine.js";
import type { EngineHead, ReadRange } from "./pages.js";

const OPTIONS = [
  "from",
  "to",
  "limit",
  "direction",
  "type",
] as const satisfies (keyof ReadOptions)[];

/** Reads a stream page by page, up to its version at the first page. */
export async function* readStream<E extends NewEvent>(
  engine: LocalEngine,
  stream: unknown,
  options: ReadOptions,
): AsyncGenerator<FeedEvent<E>, void, undefined> {
  checkOptions(options, OPTIONS);
  const { from, to, limit, direction, type } = options;
  let page = await engine.readPage(stream, { from, to, limit, direction, type });
  const end = Math.min(to ?? page.version, page.version);
  let left = limit ?? Infinity;
  const turn = new Turn();
  for (;;) {
    const events = JSON.parse(page.events) as FeedEvent<E>[];
    for (const event of events) {
      yield event;
      if (turn.isOver()) await turn.pass();
    }
    left -= events.length;
    const next = rest(page.next, end, left);
    if (next === undefined) return;
    if (turn.isOver()) await turn.pass();
    page = await engine.readPage(stream, next);
  }
}

/** The head of a stream, for the caller. */
export function streamHead({ time, deleted, ...versions }: EngineHead): StreamHead {
  return { ...versions, time: time ?? null, deleted };
}

/** Exports the commits of a stream page by page, up to its version at the first page. */
export async function* exportStream(
  engine: LocalEngine,
  stream: unknown,
): AsyncGenerator<string, void, undefined> {
  let page = await engine.readCommits(stream);
  const turn = new Turn();
  for (;;) {
    for (const line of page.text.split("\n")) {
      if (line !== "") yield line;
      if (turn.isOver()) await turn.pass();
    }
    if (page.next === undefined) return;
    page = await engine.readCommits(stream, page.next);
  }
}

/** The rest of the read, or nothing. */
function rest(next: ReadRange | undefined, end: number, left: number): ReadRange | undefined {
  if (next === undefined || left <= 0) return undefined;
  const to = Math.min(next.to ?? end, end);
  if ((next.from ?? 1) > to) return undefined;
  return { ...next, to, limit: finite(left) };
}

/** Lists the timers or the sent commands of a stream. */
export async function* listPending<Item>(
  engine: LocalEngine,
  stream: string,
  kind: PendingKind,
): AsyncGenerator<Item, void, undefined> {
  for (let after: string | undefined; ;) {
    const { items, next } = await engine.pendingPage(stream, kind, after);
    yield* JSON.parse(items) as Item[];
    if (next === undefined) return;
    after = next;
  }
}
