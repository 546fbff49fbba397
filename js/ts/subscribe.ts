import type { Engine } from "./engine.js";
import type { NewEvent, RecordedEvent } from "./events.js";
import { invalid } from "./invalid.js";
import { checkOptions, type SubscribeOptions } from "./options.js";
import { subscription } from "./subscription.js";
import { Turn } from "./turn.js";

const OPTIONS = ["after", "type", "signal"] as const satisfies (keyof SubscribeOptions)[];

/** From which version on to follow a stream, and events of which type; the type is still to be checked. */
export interface Following {
  readonly after: number;
  readonly type: string | undefined;
}

/** What to follow, for every store. */
export function wantedOfStream(options: SubscribeOptions): Following {
  checkOptions(options, OPTIONS);
  const { after = 0, type } = options;
  if (!Number.isSafeInteger(after) || after < 0 || after === Number.MAX_SAFE_INTEGER) {
    throw invalid("after", "must be a version, or 0 for the beginning");
  }
  return { after, type };
}

/** Follows a stream page by page: the events after a version, and then each as it is appended. */
export function subscribeStream<E extends NewEvent>(
  engine: Engine,
  stream: unknown,
  options: SubscribeOptions,
): AsyncGenerator<RecordedEvent<E>, void, undefined> {
  return subscription(options, wantedOfStream, (following, stop) =>
    follow<E>(engine, stream, following, stop),
  );
}

async function* follow<E extends NewEvent>(
  engine: Engine,
  stream: unknown,
  { after, type }: Following,
  stop: AbortSignal,
): AsyncGenerator<RecordedEvent<E>, void, undefined> {
  const turn = new Turn();
  let from = after + 1;
  while (!stop.aborted) {
    const mark = await engine.mark();
    const page = await engine.readPage(stream, { from, type });
    const events = JSON.parse(page.events) as RecordedEvent<E>[];
    for (const event of events) {
      yield event;
      if (turn.isOver()) await turn.pass();
      if (stop.aborted) return;
    }
    // Also past events of other types, and past those that were truncated meanwhile.
    from = page.next?.from ?? Math.max(from, page.version + 1);
    if (events.length > 0 || page.next !== undefined) {
      if (turn.isOver()) await turn.pass();
      continue;
    }
    await engine.changed(mark, stop, stream);
  }
}
