// Pauses between the attempts at something that fails on the way.

import { sleep } from "../time/timers.js";

const FIRST_MILLISECONDS = 100;
const GROWTH = 3;
const LONGEST_MILLISECONDS = 5000;

/** Counts failures one after the other, and waits longer after each. */
export class Backoff {
  readonly #most: number;
  #failures = 0;

  /** `most` is how many failures in a row are followed by another attempt. */
  constructor(most: number) {
    this.#most = most;
  }

  /** Something went well. */
  reset(): void {
    this.#failures = 0;
  }

  /** Waits before the next attempt, or raises `error` where there is to be none. */
  async wait(error: unknown, signal?: AbortSignal): Promise<void> {
    if (this.#failures >= this.#most || signal?.aborted) throw error;
    const longest = Math.min(FIRST_MILLISECONDS * GROWTH ** this.#failures, LONGEST_MILLISECONDS);
    this.#failures += 1;
    // At random, so that many who were cut off at once do not all come back at once.
    await sleep(longest * (0.5 + Math.random() / 2), signal);
  }
}
