// What is done while another connection, mostly of another process, has locked the file: the call is made again until it
// goes through, or the time for it is over.

import { REPEATED, SillokError } from "./errors.js";
import { sleep } from "./timers.js";
import { Turn } from "./turn.js";

/** How long is waited before each further try. Nobody tells when a lock is given back. */
const DELAYS = [1, 2, 5, 10, 15, 20, 25];

/** A call that waits for its turn to write. */
interface Waiting {
  /** After this time it is given up. */
  readonly deadline: number;
  /** Makes the call, and tells whether it is done with, well or not. */
  attempt(): boolean;
  giveUp(): void;
}

/** The patience of one store with whoever else has its file open. */
export class Patience {
  readonly #timeout: number;
  readonly #mayWrite: () => boolean;
  /** Those who wait to write, in the order in which they came: so what one caller writes stays in its order. */
  readonly #waiting: Waiting[] = [];
  readonly #over = new AbortController();

  /**
   * Waits so many milliseconds. `mayWrite` tells, for little, whether the lock to write can be had; a write that waits is
   * tried when it can.
   */
  constructor(timeout: number, mayWrite: () => boolean) {
    this.#timeout = timeout;
    this.#mayWrite = mayWrite;
  }

  /** Writes: at once where it can, and otherwise after those that wait already. */
  write<T>(call: () => T): T | Promise<T> {
    if (this.#waiting.length === 0) {
      try {
        return call();
      } catch (error) {
        if (!this.#isWaitedFor(error)) throw this.#told(error);
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

  /** Reads: at once where it can, as it nearly always can. */
  read<T>(call: () => T): T | Promise<T> {
    try {
      return call();
    } catch (error) {
      if (!this.#isWaitedFor(error)) throw this.#told(error);
    }
    return this.#readLater(call);
  }

  /** Writes before it returns, after those that wait already. Nothing else is done in the program while it waits. */
  writeNow<T>(call: () => T): T {
    for (let tries = 0; this.#waiting.length > 0;) {
      if (this.#isServed()) tries = 0;
      else pause(tries++);
    }
    return this.readNow(call);
  }

  /** Makes a call before it returns. Nothing else is done in the program while it waits. */
  readNow<T>(call: () => T): T {
    const deadline = this.#deadline();
    for (let tries = 0; ; tries += 1) {
      try {
        return call();
      } catch (error) {
        if (!isBusy(error) || performance.now() >= deadline) throw this.#told(error);
      }
      pause(tries);
    }
  }

  /** Lets those who wait try once more at once. */
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
        if (!isBusy(error) || performance.now() >= deadline) throw this.#told(error);
      }
    }
  }

  /** Lets those who wait have their turn, until nobody waits any more. */
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
   * Tries the first of those who wait, and tells whether it is done with. Nothing is tried as long as the lock cannot be
   * had: what a consumer does next need not be what found the file locked, and would go through.
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

  /** The error as the caller is told it. */
  #told(error: unknown): unknown {
    return isBusy(error) ? this.#tooBusy(error) : error;
  }

  #tooBusy(cause?: unknown): SillokError {
    const detail = `the storage is busy: another connection has locked it for more than \`busyTimeout\`, ${this.#timeout} ms`;
    return new SillokError({ code: "storage_busy", detail }, { cause });
  }
}

/** Stops the whole program before a further try. */
export function pause(tries: number): void {
  Atomics.wait(new Int32Array(new SharedArrayBuffer(4)), 0, 0, delay(tries));
}

function delay(tries: number): number {
  return DELAYS[Math.min(tries, DELAYS.length - 1)] ?? 1;
}

function isBusy(error: unknown): boolean {
  return error instanceof SillokError && error.code === REPEATED.file;
}
