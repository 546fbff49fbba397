import { checkOptions, checkSignal, type RunOptions } from "../store/options.js";

const RUN_OPTIONS = ["signal"] as const satisfies (keyof RunOptions)[];

/** Runs `work` until it ends, or until the caller's signal is aborted. */
export async function until(
  options: RunOptions,
  work: (stop: AbortController) => Promise<void>,
): Promise<void> {
  checkOptions(options, RUN_OPTIONS);
  checkSignal(options.signal);
  const stop = new AbortController();
  const end = () => stop.abort();
  const { signal } = options;
  if (signal?.aborted) return;
  signal?.addEventListener("abort", end);
  try {
    await work(stop);
  } finally {
    signal?.removeEventListener("abort", end);
  }
}
