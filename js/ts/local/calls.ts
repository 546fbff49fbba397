// The calls of an engine, and the end of the engine when a call is cut off.

import { SillokError } from "../store/errors.js";
import { raised } from "../store/raising.js";

/** The objects that a call has used until it was cut off. They can never be freed. */
const inUse: unknown[] = [];

/**
 * The calls of one engine. A call ends with an answer or a refusal. Any other end, such as an overflow of the stack, cuts the
 * engine off amid its work: the state of its memory is unknown afterwards. The stack may then have no room even to record the
 * cut-off. Such a call still counts as running, and so the next call detects it.
 */
export class Calls {
  readonly #whenCutOff: () => void;
  /** The number of running calls. A call runs within another one when a projection's handler uses its documents. */
  #underWay = 0;
  /** The objects that the first running call uses. */
  #uses: readonly unknown[] = [];
  #reason: Error | undefined;

  /** `whenCutOff` prevents all further work of the engine. */
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

  /** Whether a call was cut off. More running calls than `most` also show it. */
  wereCutOff(most: number): boolean {
    if (this.#underWay > most) this.#cutOff(new RangeError("the stack was full"));
    return this.#reason !== undefined;
  }

  /** The error of every call after a cut-off. */
  refusal(): SillokError {
    const why = "the engine was cut off amid its work, and the store can no longer be used";
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
