// Long work passes its turn to other work: timers, requests, and the code that aborts its signal.

/** Longest turn, in milliseconds. */
const TURN_MILLISECONDS = 10;
/** Most checks within a turn. On some platforms the clock stands still while a program works. */
const TURN_CHECKS = 5000;
/** Most checks without a look at the clock. */
const MOST_UNTIMED = 16;

/** The turn of one long work. */
export class Turn {
  #began = performance.now();
  #seen = this.#began;
  #checks = 0;
  /** The number of checks between two looks at the clock, and the check at which the next look is due. */
  #untimed = 1;
  #next = 1;

  /** Whether the turn is over; then pass it. Call it often: the check is cheap, and a long wait of other work is not. */
  isOver(): boolean {
    this.#checks += 1;
    if (this.#checks < this.#next) return false;
    const now = performance.now();
    // A look at the clock is expensive compared to reading an event. Where little time has passed, the next look is later.
    this.#untimed = now - this.#seen < 1 ? Math.min(2 * this.#untimed, MOST_UNTIMED) : 1;
    this.#seen = now;
    this.#next = this.#checks + this.#untimed;
    return now - this.#began >= TURN_MILLISECONDS || this.#checks >= TURN_CHECKS;
  }

  /** Lets other work run, and starts a new turn. */
  async pass(): Promise<void> {
    await new Promise<void>(afterOthers);
    this.#began = performance.now();
    this.#seen = this.#began;
    this.#checks = 0;
    this.#next = this.#untimed;
  }
}

/** Calls `task` after the waiting work. It uses a timer, which delays the task by milliseconds, only where nothing else exists. */
function afterOthers(task: () => void): void {
  const { setImmediate, MessageChannel } = globalThis as Platform;
  if (setImmediate !== undefined) {
    setImmediate(task);
  } else if (MessageChannel !== undefined) {
    const { port1, port2 } = new MessageChannel();
    port1.onmessage = () => {
      port1.close();
      task();
    };
    port2.postMessage(undefined);
  } else {
    setTimeout(task);
  }
}

/** Functions that only some platforms have. */
interface Platform {
  readonly setImmediate?: (task: () => void) => void;
  readonly MessageChannel?: typeof MessageChannel;
}
