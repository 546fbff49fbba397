/** Something that changes as messages come, and can be waited for. */

import assert from "node:assert/strict";

/** The longest that anything is waited for, in milliseconds. */
const PATIENCE = 30_000;

export class Waiting {
  #wake: () => void = () => undefined;

  /** Says that something has changed. */
  protected changed(): void {
    this.#wake();
  }

  /** Waits until something is so. */
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
