/** A state that changes when messages arrive. Callers can wait for a change. */

import assert from "node:assert/strict";

/** The longest wait, in milliseconds. */
const PATIENCE = 30_000;

export class Waiting {
  #wake: () => void = () => undefined;

  /** Wakes the callers after a change. */
  protected changed(): void {
    this.#wake();
  }

  /** Waits until a condition holds. */
  async until(holds: (waiting: this) => boolean): Promise<void> {
    let late = false;
    const timer = setTimeout(() => {
      late = true;
      this.#wake();
    }, PATIENCE);
    while (!holds(this)) {
      assert(!late, `it did not come about within ${PATIENCE} ms`);
      await new Promise<void>((resolve) => (this.#wake = resolve));
    }
    clearTimeout(timer);
  }
}
