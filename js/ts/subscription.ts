// What every subscription is, whichever store it follows.

import { invalid } from "./invalid.js";
import { checkOptions, type Signal, type SubscribeOptions } from "./options.js";

const OPTIONS = ["after", "type", "signal"] as const satisfies (keyof SubscribeOptions)[];

/** What to follow, once it is seen that it can be, and what ends it. */
export interface Following {
  readonly after: number;
  readonly type: string | undefined;
  readonly stop: AbortSignal;
}

/**
 * A subscription to what `follow` gives. `follow` is told to stop when the caller's signal is given, when the caller
 * leaves the loop, and also when `return` is called while an event is waited for.
 */
export function subscription<T>(
  options: SubscribeOptions,
  follow: (following: Following) => AsyncGenerator<T, void, undefined>,
): AsyncGenerator<T, void, undefined> {
  const stop = new AbortController();
  const events = until(stop, options, follow);
  const end = events.return.bind(events);
  return Object.assign(events, {
    // A generator's own takes its turn after the event that is waited for, which may never come.
    return: (value: void | PromiseLike<void>) => {
      stop.abort();
      return end(value);
    },
  });
}

async function* until<T>(
  stop: AbortController,
  options: SubscribeOptions,
  follow: (following: Following) => AsyncGenerator<T, void, undefined>,
): AsyncGenerator<T, void, undefined> {
  const { after, type } = checked(options);
  const end = () => stop.abort();
  const { signal } = options;
  if (signal?.aborted) return;
  signal?.addEventListener("abort", end);
  try {
    yield* follow({ after, type, stop: stop.signal });
  } finally {
    signal?.removeEventListener("abort", end);
    stop.abort();
  }
}

function checked(options: SubscribeOptions): { after: number; type: string | undefined } {
  checkOptions(options, OPTIONS);
  const { after = 0, type, signal } = options;
  if (!Number.isSafeInteger(after) || after < 0 || after === Number.MAX_SAFE_INTEGER) {
    throw invalid("after", "must be a version, or 0 for the beginning");
  }
  if (signal !== undefined && !isSignal(signal)) throw invalid("signal", "must be an AbortSignal");
  return { after, type };
}

function isSignal(signal: unknown): signal is Signal {
  if (typeof signal !== "object" || signal === null) return false;
  return "aborted" in signal && "addEventListener" in signal && "removeEventListener" in signal;
}
