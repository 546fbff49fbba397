/** Random choices that can be repeated: the same seed makes the same choices. */

export class Seeded {
  readonly seed: number;
  #state: number;

  /** Takes the seed of the variable `SILLOK_SEED`, or a random one. */
  constructor(seed = Number(process.env["SILLOK_SEED"] ?? Math.floor(Math.random() * 2 ** 32))) {
    this.seed = seed;
    this.#state = seed >>> 0;
  }

  /** A whole number from 0 to below `end`. */
  below(end: number): number {
    // Mulberry32.
    this.#state = (this.#state + 0x6d2b79f5) >>> 0;
    let mixed = this.#state;
    mixed = Math.imul(mixed ^ (mixed >>> 15), mixed | 1);
    mixed ^= mixed + Math.imul(mixed ^ (mixed >>> 7), mixed | 61);
    return ((mixed ^ (mixed >>> 14)) >>> 0) % end;
  }

  /** One of these. */
  pick<T>(choices: readonly T[]): T {
    return choices[this.below(choices.length)]!;
  }

  /** From `least` to `most` picks of these choices, one after the other. */
  several<T>(choices: readonly T[], least: number, most: number): T[] {
    const count = least + this.below(most - least + 1);
    return Array.from({ length: count }, () => this.pick(choices));
  }
}
