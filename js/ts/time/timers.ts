import { TIMER_MILLIS } from "../store/limits.js";

/** Waits for a number of milliseconds, or until `stop` is aborted. */
export function sleep(milliseconds: number, stop?: AbortSignal): Promise<void> {
  return new Promise((resolve) => {
    const end = () => {
      clearTimeout(timer);
      stop?.removeEventListener("abort", end);
      resolve();
    };
    const timer = setTimeout(end, Math.min(Math.max(milliseconds, 0), TIMER_MILLIS));
    stop?.addEventListener("abort", end);
    if (stop?.aborted) end();
  });
}

/** Waits for the end of an attempt, for a number of milliseconds. */
export async function within<T>(milliseconds: number, attempt: Promise<T>): Promise<T> {
  const ended = new AbortController();
  const late = sleep(milliseconds, ended.signal).then(() => ended);
  try {
    const first = await Promise.race([attempt, late]);
    if (first !== ended) return first as T;
  } finally {
    ended.abort();
  }
  throw new Error(`the attempt did not end within ${milliseconds} ms`);
}
