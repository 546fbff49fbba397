/** The longest that a timer goes: a longer one would go off at once. */
export const LONGEST_TIMER_MILLISECONDS = 2 ** 31 - 1;

/** Waits so many milliseconds, or until `stop` is given. */
export function sleep(milliseconds: number, stop?: AbortSignal): Promise<void> {
  return new Promise((resolve) => {
    const end = () => {
      clearTimeout(timer);
      stop?.removeEventListener("abort", end);
      resolve();
    };
    const timer = setTimeout(end, Math.min(Math.max(milliseconds, 0), LONGEST_TIMER_MILLISECONDS));
    stop?.addEventListener("abort", end);
    if (stop?.aborted) end();
  });
}
