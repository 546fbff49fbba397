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
