import type { LocalEngine } from "../local/engine.js";
import { sleep } from "../time/timers.js";

/** The reason why there is no work now. A number is the time until the next work, in milliseconds. */
export type IdleReason = "idle" | "paused" | "stopped" | "interrupted" | number;

/** Work over a store. It waits for a change of the store or for the time of the next work. */
export abstract class WorkLoop {
  readonly #engine: LocalEngine;
  /** The running work: there is at most one. */
  #work: Promise<unknown> = Promise.resolve();
  /** The waiting runs. */
  readonly #waiting = new Set<() => void>();

  constructor(engine: LocalEngine) {
    this.#engine = engine;
  }

  /** Runs until `stop` is aborted. */
  async run(stop: AbortSignal): Promise<void> {
    while (!stop.aborted) {
      // It waits for changes before it works, so that it misses no event in between.
      const rested = new AbortController();
      const changed = this.#changed(rested, stop);
      // The work reports an error of the store.
      changed.catch(() => {});
      try {
        const rest = await this.work(stop);
        const early = typeof rest === "number" ? sleep(rest, rested.signal) : changed;
        await Promise.race([changed, early]);
      } finally {
        rested.abort();
      }
    }
  }

  /** Works until there is no work, or `stop` is aborted. */
  work(stop?: AbortSignal): Promise<IdleReason> {
    const work = this.#work.then(() => this.steps(stop));
    this.#work = work.catch(() => {});
    return work;
  }

  /**
   * Works until there is no work now, and no failed attempt is repeated later. It waits for repeated attempts, unless the store
   * has a clock of its own. Returns the time of the next work, in milliseconds since 1970; undefined if there is none.
   */
  abstract rest(stop: AbortSignal): Promise<number | undefined>;

  /** Does the work. */
  protected abstract steps(stop?: AbortSignal): Promise<IdleReason>;

  /** A waiting run continues now. */
  wake(): void {
    for (const wake of this.#waiting) wake();
  }

  /** Waits until the store may have changed, the run is woken, or `stop` is aborted. */
  async #changed(rested: AbortController, stop: AbortSignal): Promise<void> {
    const end = () => rested.abort();
    stop.addEventListener("abort", end);
    this.#waiting.add(end);
    try {
      await this.#engine.changed(await this.#engine.mark(), rested.signal);
    } finally {
      this.#waiting.delete(end);
      stop.removeEventListener("abort", end);
    }
  }
}
