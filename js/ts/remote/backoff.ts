// The pauses between the retries of a request.

import { sleep } from "../time/timers.js";

const FIRST_MILLISECONDS = 100;
const GROWTH = 3;
const LONGEST_MILLISECONDS = 5000;

/** Counts failures in a row, and waits longer after each. */
export class Backoff {
  readonly #most: number;
  #failures = 0;

  /** Retries after at most `most` failures in a row. */
  constructor(most: number) {
    this.#most = most;
  }

  /** Reports a success. */
  reset(): void {
    this.#failures = 0;
  }

  /** Waits before the next retry, or throws `error` if there is no retry left. */
  async wait(error: unknown, signal?: AbortSignal): Promise<void> {
    if (this.#failures >= this.#most || signal?.aborted) throw error;
    const longest = Math.min(FIRST_MILLISECONDS * GROWTH ** this.#failures, LONGEST_MILLISECONDS);
    this.#failures += 1;
    // The pause is random, so that many clients that were cut off together do not return together.
    await sleep(longest * (0.5 + Math.random() / 2), signal);
  }
}
