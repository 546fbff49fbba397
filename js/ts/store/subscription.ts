// The subscription, the same for every store.

import { invalid } from "./invalid.js";
import { checkSignal, type Signal } from "./options.js";

/** The options of every subscription. */
interface Common {
  readonly signal?: Signal | undefined;
  readonly onCaughtUp?: (() => void) | undefined;
}

/** Follows events. It calls `caughtUp` each time that the caller has taken every event that exists. */
type Follow<Wanted, T> = (
  wanted: Wanted,
  stop: AbortSignal,
  caughtUp: () => void,
) => AsyncGenerator<T, void, undefined>;

/**
 * A subscription to the events of `follow`. `check` checks the options when the caller takes the first event. `stop` is
 * aborted when the caller aborts the signal, leaves the loop, or calls `return` while the subscription waits for an event.
 */
export function subscription<Options extends Common, Wanted, T>(
  options: Options,
  check: (options: Options) => Wanted,
  follow: Follow<Wanted, T>,
): AsyncGenerator<T, void, undefined> {
  const stop = new AbortController();
  const events = until(stop, options, check, follow);
  const end = events.return.bind(events);
  return Object.assign(events, {
    // The generator's own `return` would wait for the next event, which may never arrive.
    return: (value: void | PromiseLike<void>) => {
      stop.abort();
      return end(value);
    },
  });
}

async function* until<Options extends Common, Wanted, T>(
  stop: AbortController,
  options: Options,
  check: (options: Options) => Wanted,
  follow: Follow<Wanted, T>,
): AsyncGenerator<T, void, undefined> {
  const wanted = check(options);
  const { signal, onCaughtUp } = options;
  checkSignal(signal);
  if (onCaughtUp !== undefined && typeof onCaughtUp !== "function") {
    throw invalid("onCaughtUp", "must be a function");
  }
  if (signal?.aborted) return;
  const end = () => stop.abort();
  signal?.addEventListener("abort", end);
  try {
    yield* follow(wanted, stop.signal, once(onCaughtUp));
  } finally {
    signal?.removeEventListener("abort", end);
    stop.abort();
  }
}

function once(call: (() => void) | undefined): () => void {
  let left = call;
  return () => {
    const first = left;
    left = undefined;
    first?.();
  };
}
