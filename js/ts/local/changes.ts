// Tells those who follow a store that it has changed.

import type { Database } from "../sqlite/database.js";
import { TIMER_MILLIS } from "../store/limits.js";

/** How often a file is looked at for what other connections, most of them of other processes, wrote to it. */
const INTERVAL_MILLISECONDS = 100;

/** How much was written, before something is read. */
export interface Mark {
  /** By this store. */
  readonly own: number;
  /** By other connections; nothing where the file could not be asked. */
  readonly others: number | undefined;
}

/** Someone who waits for a change. */
interface Waiter {
  /** Of this stream; without one, of any. */
  readonly stream: unknown;
  /** What {@link Changes.mark} gave before the store was read. */
  readonly mark: Mark;
  wake(): void;
}

/** The changes of one store. */
export class Changes {
  readonly #database: Database | undefined;
  readonly #waiting = new Set<Waiter>();
  #timer: ReturnType<typeof setInterval> | undefined;
  /** How often somebody was told of a change. */
  #count = 0;

  constructor(database: Database | undefined) {
    this.#database = database;
  }

  /** To be taken before the store is read, so that {@link Changes.after} tells of all that came after the reading. */
  mark(): Mark {
    return { own: this.#count, others: this.#others() };
  }

  /** Something was written to this stream, or who knows to which. */
  notify(stream?: unknown): void {
    this.#count += 1;
    for (const waiting of this.#waiting) {
      if (stream === undefined || waiting.stream === undefined || waiting.stream === stream) {
        waiting.wake();
      }
    }
  }

  /**
   * Waits until the stream, or without one any, may have changed after `mark`, or `stop` is given.
   *
   * The timer also keeps a program running that has nothing else to do but to wait.
   */
  after(mark: Mark, stop: AbortSignal, stream?: unknown): Promise<void> {
    // Something was written between the reading and this: it may have been to the stream.
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

  /** Looks whether other connections have written. */
  #look(): void {
    let others: number | undefined;
    try {
      others = this.#database?.inPlace(() => this.#others());
    } catch {
      // Whoever reads the file now is told what is wrong with it.
    }
    for (const { mark, wake } of this.#waiting) if (mark.others !== others) wake();
  }

  #others(): number | undefined {
    return this.#database?.changes();
  }
}
