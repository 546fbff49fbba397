// Notifies the followers of a store of its changes.

import type { Database } from "../sqlite/database.js";
import { TIMER_MILLIS } from "../store/limits.js";

/** Time between two checks of a file for writes of other connections, usually of other processes. */
const INTERVAL_MILLISECONDS = 100;

/** The number of writes before a read. */
export interface Mark {
  /** The writes of this store. */
  readonly own: number;
  /** A number that the writes of other connections change; undefined where the file could not be checked. */
  readonly others: number | undefined;
}

/** A follower that waits for a change. */
interface Waiter {
  /** The stream to wait for; undefined for any stream. */
  readonly stream: unknown;
  /** The result of {@link Changes.mark} before the read. */
  readonly mark: Mark;
  wake(): void;
}

/** The changes of one store. */
export class Changes {
  readonly #database: Database | undefined;
  readonly #waiting = new Set<Waiter>();
  #timer: ReturnType<typeof setInterval> | undefined;
  /** The number of notified changes. */
  #count = 0;

  constructor(database: Database | undefined) {
    this.#database = database;
  }

  /** Take a mark before each read of the store. {@link Changes.after} then detects every later write. */
  mark(): Mark {
    return { own: this.#count, others: this.#others() };
  }

  /** Reports a write to this stream; without one, to an unknown stream. */
  notify(stream?: unknown): void {
    this.#count += 1;
    for (const waiting of this.#waiting) {
      if (stream === undefined || waiting.stream === undefined || waiting.stream === stream) {
        waiting.wake();
      }
    }
  }

  /**
   * Waits until the stream may have changed after `mark`, or `stop` is aborted. Without a stream, it waits for any stream.
   *
   * The timer prevents the exit of a program that only waits.
   */
  after(mark: Mark, stop: AbortSignal, stream?: unknown): Promise<void> {
    // There was a write after the mark: it may have been to the stream.
    if (mark.own !== this.#count) return Promise.resolve();
    return new Promise((resolve) => {
      const wake = () => {
        stop.removeEventListener("abort", wake);
        this.#waiting.delete(waiting);
        if (this.#waiting.size === 0) clearInterval(this.#timer);
        resolve();
      };
      const waiting: Waiter = { stream, mark, wake };
      if (this.#waiting.size === 0) {
        const isFile = this.#database !== undefined;
        const interval = isFile ? INTERVAL_MILLISECONDS : TIMER_MILLIS;
        this.#timer = setInterval(() => this.#look(), interval);
      }
      this.#waiting.add(waiting);
      stop.addEventListener("abort", wake);
      if (stop.aborted) wake();
    });
  }

  /** Checks for writes of other connections. */
  #look(): void {
    let others: number | undefined;
    try {
      others = this.#database?.inPlace(() => this.#others());
    } catch {
      // The next read of the file reports the error.
    }
    for (const { mark, wake } of this.#waiting) if (mark.others !== others) wake();
  }

  #others(): number | undefined {
    return this.#database?.changes();
  }
}
