// The wait for a file that another connection, usually of another process, has locked. The call is repeated until it succeeds,
// or until its time is over.

import { REPEATED, SillokError } from "../store/errors.js";
import { sleep } from "../time/timers.js";
import { Turn } from "../time/turn.js";

/** Milliseconds before each retry. SQLite does not report that a lock is free again. */
const DELAYS = [1, 2, 5, 10, 15, 20, 25];

/** A write in the queue. */
interface QueuedWrite {
  /** The time after which the write fails. */
  readonly deadline: number;
  /** Makes the call, and returns whether it has ended, with success or with an error. */
  attempt(): boolean;
  giveUp(): void;
}

/** The patience of one store with the other connections to its file. */
export class Patience {
  readonly #timeout: number;
  readonly #mayWrite: () => boolean;
  /** The queue of writes, in the order of the calls: so the writes of one caller stay in their order. */
  readonly #waiting: QueuedWrite[] = [];
  readonly #over = new AbortController();

  /**
   * Waits up to `timeout` milliseconds. `mayWrite` is a cheap check whether the lock for writing is free. A write in the
   * queue is tried when the lock is free.
   */
  constructor(timeout: number, mayWrite: () => boolean) {
    this.#timeout = timeout;
    this.#mayWrite = mayWrite;
  }

  /** Writes: now if the lock is free, otherwise after the writes in the queue. */
  write<T>(call: () => T): T | Promise<T> {
    if (this.#waiting.length === 0) {
      try {
        return call();
      } catch (error) {
        if (!this.#isWaitedFor(error)) throw this.#asRaised(error);
      }
    }
    const deadline = this.#deadline();
    return new Promise((resolve, reject) => {
      const attempt = (): boolean => {
        try {
          resolve(call());
        } catch (error) {
          if (isBusy(error)) return false;
          reject(error);
        }
        return true;
      };
      const giveUp = () => reject(this.#tooBusy());
      if (this.#waiting.push({ deadline, attempt, giveUp }) === 1) void this.#serve();
    });
  }

  /** Reads: now if it is possible, as it nearly always is. */
  read<T>(call: () => T): T | Promise<T> {
    try {
      return call();
    } catch (error) {
      if (!this.#isWaitedFor(error)) throw this.#asRaised(error);
    }
    return this.#readLater(call);
  }

  /** Writes before it returns, after the writes in the queue. It blocks the program while it waits. */
  writeNow<T>(call: () => T): T {
    for (let tries = 0; this.#waiting.length > 0;) {
      if (this.#isServed()) tries = 0;
      else pause(tries++);
    }
    return this.readNow(call);
  }

  /** Makes a call before it returns. It blocks the program while it waits. */
  readNow<T>(call: () => T): T {
    const deadline = this.#deadline();
    for (let tries = 0; ; tries += 1) {
      try {
        return call();
      } catch (error) {
        if (!isBusy(error) || performance.now() >= deadline) throw this.#asRaised(error);
      }
      pause(tries);
    }
  }

  /** Ends the wait: every waiting call is tried once more now. */
  end(): void {
    this.#over.abort();
  }

  async #readLater<T>(call: () => T): Promise<T> {
    const deadline = this.#deadline();
    for (let tries = 0; ; tries += 1) {
      await this.#pause(tries, deadline);
      try {
        return call();
      } catch (error) {
        if (!isBusy(error) || performance.now() >= deadline) throw this.#asRaised(error);
      }
    }
  }

  /** Makes the writes in the queue, until it is empty. */
  async #serve(): Promise<void> {
    const turn = new Turn();
    let tries = 0;
    for (let first; (first = this.#waiting[0]) !== undefined;) {
      if (this.#isServed()) {
        tries = 0;
        if (turn.isOver()) await turn.pass();
      } else {
        await this.#pause(tries, first.deadline);
        tries += 1;
      }
    }
  }

  /**
   * Tries the first write in the queue, and returns whether it has ended. It tries nothing while the lock is not free. The
   * next step of a consumer may differ from the step that found the file locked, and could succeed without the lock.
   */
  #isServed(): boolean {
    const [first] = this.#waiting;
    if (first === undefined) return true;
    const mayTry = this.#over.signal.aborted || this.#mayWrite();
    if (!mayTry || !first.attempt()) {
      if (performance.now() < first.deadline) return false;
      first.giveUp();
    }
    this.#waiting.shift();
    return true;
  }

  #isWaitedFor(error: unknown): boolean {
    return isBusy(error) && this.#timeout > 0;
  }

  #pause(tries: number, deadline: number): Promise<void> {
    return sleep(Math.min(delay(tries), deadline - performance.now()), this.#over.signal);
  }

  #deadline(): number {
    return performance.now() + this.#timeout;
  }

  /** The error for the caller. */
  #asRaised(error: unknown): unknown {
    return isBusy(error) ? this.#tooBusy(error) : error;
  }

  #tooBusy(cause?: unknown): SillokError {
    const detail = `the storage is busy: another connection has locked it for more than \`busyTimeout\`, ${this.#timeout} ms`;
    return new SillokError({ code: "storage_busy", detail }, { cause });
  }
}

/** Blocks the whole program before a retry. */
export function pause(tries: number): void {
  Atomics.wait(new Int32Array(new SharedArrayBuffer(4)), 0, 0, delay(tries));
}

function delay(tries: number): number {
  return DELAYS[Math.min(tries, DELAYS.length - 1)] ?? 1;
}

function isBusy(error: unknown): boolean {
  return error instanceof SillokError && error.code === REPEATED.file;
}
