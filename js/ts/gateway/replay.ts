import type { LocalEngine } from "../local/engine.js";
import type { FeedEvent, NewEvent, RecordedEvent } from "../store/events.js";
import { invalid } from "../store/invalid.js";
import {
  checkOptions,
  checkSignal,
  type ReplayOptions,
  type ReplayProgress,
  type Signal,
} from "../store/options.js";
import { checkTypes } from "../store/wanted.js";
import { Turn } from "../time/turn.js";
import type { EventSink } from "./event-gateway.js";

const OPTIONS = [
  "stream",
  "category",
  "types",
  "onProgress",
  "signal",
] as const satisfies (keyof ReplayOptions)[];

/** A page of a replay, and the progress after it. */
interface ReplayPage<E extends NewEvent> {
  readonly events: readonly RecordedEvent<E>[];
  readonly position: number;
  readonly end: number;
}

/** Passes events to a handler, one after the other, up to the last event at its start. */
export async function replay<E extends NewEvent>(
  engine: LocalEngine,
  handler: EventSink<RecordedEvent<E>>,
  options: ReplayOptions,
): Promise<ReplayProgress> {
  checkHandler(handler);
  checkOptions(options, OPTIONS);
  const { stream, category, types, onProgress, signal } = options;
  if (stream !== undefined && category !== undefined) {
    throw invalid("category", "cannot be combined with `stream`");
  }
  if (onProgress !== undefined && typeof onProgress !== "function") {
    throw invalid("onProgress", "must be a function");
  }
  checkTypes(types);
  checkSignal(signal);
  const parts =
    stream === undefined
      ? partsOfFeed<E>(engine, { category, types })
      : partsOfStream<E>(engine, stream, types);
  const turn = new Turn();
  let progress = { handled: 0, position: 0, end: 0 };
  for await (const { events, position, end } of parts) {
    const all = progress.handled + events.length;
    for (const handled of handOver(events, handler, signal)) {
      await handled;
      progress = { ...progress, handled: progress.handled + 1, end };
      if (turn.isOver()) await turn.pass();
    }
    if (progress.handled < all) return progress;
    progress = { ...progress, position, end };
    onProgress?.(progress);
    if (turn.isOver()) await turn.pass();
  }
  return progress;
}

/** Refuses a handler without a method `handleEvent`. */
export function checkHandler(handler: unknown): void {
  const { handleEvent } = (handler ?? {}) as Partial<EventSink>;
  if (typeof handleEvent === "function") return;
  throw invalid("handler", "must have a method `handleEvent`");
}

/**
 * Passes events to a handler, one after the other. It yields each result of the handler, and the caller may wait for it
 * before it takes the next. An error of the handler ends it, and so does `stop`.
 */
export function* handOver<E extends object>(
  events: Iterable<E>,
  handler: EventSink<E>,
  stop?: Signal,
): Generator<unknown, void, undefined> {
  for (const event of events) {
    if (stop?.aborted) return;
    yield handler.handleEvent(event);
  }
}

async function* partsOfFeed<E extends NewEvent>(
  engine: LocalEngine,
  wanted: Pick<ReplayOptions, "category" | "types">,
): AsyncGenerator<ReplayPage<E>, void, undefined> {
  const end = await engine.end();
  for (let after: string | undefined; ;) {
    const page = await engine.readFeed({ ...wanted, after });
    const events = JSON.parse(page.events) as FeedEvent<E>[];
    const position = Math.min(Number(page.checkpoint), end);
    yield { events: events.filter((event) => event.position <= end), position, end };
    if (!page.more || position >= end) return;
    after = page.checkpoint;
  }
}

async function* partsOfStream<E extends NewEvent>(
  engine: LocalEngine,
  stream: string,
  types: readonly string[] | undefined,
): AsyncGenerator<ReplayPage<E>, void, undefined> {
  let page = await engine.readPage(stream, {});
  // The engine checks the types. This read of the feed starts at its end, and so it finds no events.
  if (types !== undefined) await engine.readFeed({ types, after: String(await engine.end()) });
  const end = page.version;
  for (;;) {
    const events = JSON.parse(page.events) as RecordedEvent<E>[];
    const { next } = page;
    const position = Math.min((next?.from ?? end + 1) - 1, end);
    const isWanted = ({ type, version }: RecordedEvent<E>) =>
      version <= end && (types === undefined || types.includes(type));
    yield { events: events.filter(isWanted), position, end };
    if (next === undefined || position >= end) return;
    page = await engine.readPage(stream, next);
  }
}
