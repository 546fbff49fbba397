import type { Engine } from "./engine.js";
import { SillokError } from "./errors.js";
import type { NewEvent, RecordedEvent } from "./events.js";
import type { SubscribeOptions } from "./options.js";
import { type Following, subscription } from "./subscription.js";

/** Follows a stream page by page: the events after a version, and then each as it is appended. */
export function subscribeStream<E extends NewEvent>(
  engine: Engine,
  stream: unknown,
  options: SubscribeOptions,
): AsyncGenerator<RecordedEvent<E>, void, undefined> {
  return subscription(options, (following) => follow<E>(engine, stream, following));
}

async function* follow<E extends NewEvent>(
  engine: Engine,
  stream: unknown,
  { after, type, stop }: Following,
): AsyncGenerator<RecordedEvent<E>, void, undefined> {
  let from = after + 1;
  while (!stop.aborted) {
    const mark = engine.mark();
    const page = engine.readPage(stream, { from, type });
    const events = JSON.parse(page.events) as RecordedEvent<E>[];
    for (const event of events) {
      yield event;
      if (stop.aborted) return;
    }
    // Also past events of other types.
    from = page.next?.from ?? Math.max(from, page.version + 1);
    if (events.length > 0 || page.next !== undefined) continue;
    if (engine.isDeleted(stream)) throw deleted(stream);
    await engine.changed(mark, stop, stream);
  }
}

function deleted(stream: unknown): SillokError {
  const detail = `stream ${String(stream)} was deleted`;
  return new SillokError({ code: "stream_deleted", detail });
}
