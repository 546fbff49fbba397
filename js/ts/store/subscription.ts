// What every subscription is, whichever store it follows.

import { checkSignal, type Signal } from "./options.js";

/**
 * A subscription to what `follow` gives. The options are looked at by `check` when the first event is asked for. `follow`
 * is told to stop when the caller's signal is given, when the caller leaves the loop, and also when `return` is called
 * while an event is waited for.
 */
export function subscription<Options extends { readonly signal?: Signal | undefined }, Wanted, T>(
  options: Options,
  check: (options: Options) => Wanted,
  follow: (wanted: Wanted, stop: AbortSignal) => AsyncGenerator<T, void, undefined>,
): AsyncGenerator<T, void, undefined> {
  const stop = new AbortController();
  const events = until(stop, options, check, follow);
  const end = events.return.bind(events);
  return Object.assign(events, {
    // A generator's own takes its turn after the event that is waited for, which may never come.
    return: (value: void | PromiseLike<void>) => {
      stop.abort();
      return end(value);
    },
  });
}

async function* until<Options extends { readonly signal?: Signal | undefined }, Wanted, T>(
  stop: AbortController,
  options: Options,
  check: (options: Options) => Wanted,
  follow: (wanted: Wanted, stop: AbortSignal) => AsyncGenerator<T, void, undefined>,
): AsyncGenerator<T, void, undefined> {
  const wanted = check(options);
  const { signal } = options;
  checkSignal(signal);
  if (signal?.aborted) return;
  const end = () => stop.abort();
  signal?.addEventListener("abort", end);
  try {
    yield* follow(wanted, stop.signal);
  } finally {
    signal?.removeEventListener("abort", end);
    stop.abort();
  }
}
