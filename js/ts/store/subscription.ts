// The subscription, the same for every store.

import { checkSignal, type Signal } from "./options.js";

/**
 * A subscription to the events of `follow`. `check` checks the options when the caller takes the first event. `stop` is
 * aborted when the caller aborts the signal, leaves the loop, or calls `return` while the subscription waits for an event.
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
    // The generator's own `return` would wait for the next event, which may never arrive.
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
