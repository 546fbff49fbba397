import { KEPT_STATES } from "../store/limits.js";
import type { AnyAggregate } from "./aggregate-store.js";

/** A state in memory, and how many calls use it now. */
interface Kept<State> {
  readonly state: State;
  uses: number;
}

/** The states of streams that a store keeps in memory, up to a bound. It lets go of the state that was used longest ago. */
export class KeptStates<State> {
  /** The state that was used last is the last. */
  readonly #kept = new Map<AnyAggregate, Map<string, Kept<State>>>();
  readonly #make: (stream: string, aggregate: AnyAggregate) => State;
  readonly #letGo: (state: State) => void;
  #count = 0;

  /** `make` makes a state that is not in memory. `letGo` gets a state that nobody uses any more. */
  constructor(
    make: (stream: string, aggregate: AnyAggregate) => State,
    letGo: (state: State) => void = () => {},
  ) {
    this.#make = make;
    this.#letGo = letGo;
  }

  /** Works with the state of a stream. The state stays in memory until the work has ended. */
  async using<T>(
    stream: string,
    aggregate: AnyAggregate,
    work: (state: State) => Promise<T>,
  ): Promise<T> {
    const kept = this.#keep(stream, aggregate);
    try {
      return await work(kept.state);
    } finally {
      kept.uses -= 1;
    }
  }

  /** The state, with one use more. */
  #keep(stream: string, aggregate: AnyAggregate): Kept<State> {
    const streams = this.#kept.get(aggregate) ?? new Map<string, Kept<State>>();
    let kept = streams.get(stream);
    if (kept === undefined) {
      kept = { state: this.#make(stream, aggregate), uses: 0 };
      this.#count += 1;
    }
    // The last key of a map is the one that was set last.
    streams.delete(stream);
    streams.set(stream, kept);
    this.#kept.delete(aggregate);
    this.#kept.set(aggregate, streams);
    kept.uses += 1;
    if (this.#count > KEPT_STATES) this.#letOneGo();
    return kept;
  }

  #letOneGo(): void {
    for (const [aggregate, streams] of this.#kept) {
      for (const [stream, { state, uses }] of streams) {
        if (uses > 0) continue;
        streams.delete(stream);
        if (streams.size === 0) this.#kept.delete(aggregate);
        this.#count -= 1;
        this.#letGo(state);
        return;
      }
    }
  }
}
