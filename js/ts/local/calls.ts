// Calls of an engine, and what is done when one is cut off amid its work.

import { SillokError } from "../store/errors.js";
import { raised } from "../store/raising.js";

/** What is still in use by a call that was cut off, and can never be freed. */
const inUse: unknown[] = [];

/**
 * The calls of one engine. Whatever ends one and is neither an answer nor a refusal, such as a stack that has no room left,
 * has cut the engine off amid its work: nothing is certain any more of what it holds in memory. There may be no room then to
 * do anything about it either: that such a call was not counted as over tells whoever comes next.
 */
export class Calls {
  readonly #whenCutOff: () => void;
  /** How many are under way: one within another while a projection's handler has its documents. */
  #underWay = 0;
  /** What the first of them uses. */
  #uses: readonly unknown[] = [];
  #reason: Error | undefined;

  /** `whenCutOff` sees to it that nothing more is done by the engine. */
  constructor(whenCutOff: () => void) {
    this.#whenCutOff = whenCutOff;
  }

  /** Calls the engine. */
  run<T>(call: () => T, ...uses: readonly unknown[]): T {
    const underWay = this.#underWay;
    this.#underWay = underWay + 1;
    if (underWay === 0) this.#uses = uses;
    try {
      const answer = call();
      this.#underWay = underWay;
      return answer;
    } catch (thrown) {
      const error = raised(thrown);
      if (!(error instanceof SillokError)) {
        this.#cutOff(error instanceof Error ? error : new Error(String(error)));
        throw this.refusal();
      }
      this.#underWay = underWay;
      throw error;
    }
  }

  /** Whether one was cut off, as it was also when more than so many are under way. */
  wereCutOff(most: number): boolean {
    if (this.#underWay > most) this.#cutOff(new RangeError("the stack was full"));
    return this.#reason !== undefined;
  }

  /** Why nothing more is done. */
  refusal(): SillokError {
    const why = "the engine was cut off amid its work, and the store can do nothing more";
    const detail = `${why}: ${this.#reason?.message}`;
    return new SillokError({ code: "storage_failed", detail }, { cause: this.#reason });
  }

  #cutOff(reason: Error): void {
    if (this.#reason !== undefined) return;
    this.#reason = reason;
    inUse.push(this.#uses);
    this.#whenCutOff();
  }
}
