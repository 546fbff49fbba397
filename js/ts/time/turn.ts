// Work that is long lets others have their turn: timers, requests, whoever is to give the signal that ends it.

/** After so many milliseconds others have their turn. */
const TURN_MILLISECONDS = 10;
/** And after so many times that it was asked: there are places where no time goes by while a program works. */
const TURN_ASKED = 5000;
/** Of so many times that it is asked, the clock is looked at once at least. */
const MOST_UNSEEN = 16;

/** The turn of somebody who works, kept from one piece of the work to the next. */
export class Turn {
  #began = performance.now();
  #seen = this.#began;
  #asked = 0;
  /** How many times it is asked until the clock is looked at, and the next time that it is. */
  #unseen = 1;
  #next = 1;

  /** Whether it was long enough: then it is to be passed. To be asked often, for to ask is cheap and to wait is not. */
  isOver(): boolean {
    this.#asked += 1;
    if (this.#asked < this.#next) return false;
    const now = performance.now();
    // The clock costs something, beside an event that is read. Where it goes slowly, it is looked at less often.
    this.#unseen = now - this.#seen < 1 ? Math.min(2 * this.#unseen, MOST_UNSEEN) : 1;
    this.#seen = now;
    this.#next = this.#asked + this.#unseen;
    return now - this.#began >= TURN_MILLISECONDS || this.#asked >= TURN_ASKED;
  }

  /** Lets others have theirs, and begins another. */
  async pass(): Promise<void> {
    await new Promise<void>(afterOthers);
    this.#began = performance.now();
    this.#seen = this.#began;
    this.#asked = 0;
    this.#next = this.#unseen;
  }
}

/** Calls `task` after what waits already. Timers, which are held back for milliseconds, only where there is nothing else. */
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

/** What some platforms have and others have not. */
interface Platform {
  readonly setImmediate?: (task: () => void) => void;
  readonly MessageChannel?: typeof MessageChannel;
}
