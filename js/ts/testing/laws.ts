import { Behaviour } from "../aggregate/behaviour.js";
import { difference } from "../aggregate/difference.js";
import type { Aggregate } from "../aggregate/types.js";
import { invalid } from "../store/invalid.js";
import { fieldAt } from "../store/json.js";
import { DifferenceError, errorValue, unwrapped } from "./difference-error.js";
import type { History } from "./history.js";
import type { InputOf } from "./inputs.js";
import { type ReadyInput, readyInput } from "./ready-input.js";
import { checkAggregate, exactText, storedTexts, streamOf } from "./stored-texts.js";
import { watched } from "./watched.js";

/**
 * Tests that an aggregate obeys the laws on which a store relies, along histories of your choice:
 *
 * - `initialState`, `evolve` and `decide` change no argument, and give the same result for the same arguments. They use no
 *   clock and no random numbers. The same is true for `on`, `answered` and `ended` of a process.
 * - The state is the same, whether its events are folded in one piece, one by one, or after a snapshot at any version.
 * - The upcasts of an older event return data that its schema allows.
 * - Events and states are the same after they were written as JSON and read again.
 * - A decision is the same on a state and on its snapshot. The state after a decision is the fold of its events.
 *
 * @param aggregate - The aggregate, or the process.
 * @param histories - Histories of streams. Choose them so that each type of events occurs.
 * @param inputs - Commands; for a process also results of {@link event} and {@link answer}. Each is decided at every version of
 * every history. Without inputs, decisions are not tested.
 * @throws An error whose message names the history, the version and the law, and shows the difference. {@link SillokError}
 * `invalid_parameter` when `histories` is not a list of histories.
 *
 * @example
 * ```ts
 * import { aggregate } from "sillok";
 * import { laws } from "sillok/testing";
 *
 * type Counted = { type: "Counted"; data: { by: number } };
 * type Count = { type: "Count"; data: { by: number } };
 *
 * const counter = aggregate<Counted, Count, { sum: number }>("counter", {
 *   initialState: () => ({ sum: 0 }),
 *   decide: ({ data }) => ({ type: "Counted", data }),
 *   evolve(state, { data }) {
 *     state.sum += data.by;
 *     return state;
 *   },
 * });
 *
 * const histories = [[{ type: "Counted", data: { by: 2 } } as const]];
 * try {
 *   laws(counter, histories);
 * } catch (error) {
 *   console.log(String(error).split("\n")[0]);
 *   // prints: AssertionError: history 0, version 1: `evolve` of the aggregate counter, for Counted, changes `state.sum`, which is an argument
 * }
 * ```
 */
export function laws<A extends Aggregate>(
  aggregate: A,
  histories: readonly History<A>[],
  inputs: readonly InputOf<A>[] = [],
): void {
  checkAggregate(aggregate);
  const ready = inputs.map((input, place) => readyInput(aggregate, input, `commands[${place}]`));
  for (const [place, history] of listed(histories).entries()) {
    new Laws(aggregate, `history ${place}`, history, ready).check();
  }
}

/** Checks that these are histories, and not the events of one. */
function listed<T>(histories: readonly T[]): readonly T[] {
  const isList: boolean = Array.isArray(histories);
  if (isList && histories.every((history) => Array.isArray(history))) return histories;
  throw invalid("histories", "must be a list of histories, each of them a list of events");
}

/** An event of a decision. */
interface DecidedEvent {
  readonly type: string;
  readonly schemaVersion?: number;
  readonly data: unknown;
}

class Laws {
  readonly #aggregate: Aggregate;
  readonly #watched: Aggregate;
  readonly #name: string;
  readonly #inputs: readonly ReadyInput[];
  readonly #events: readonly string[];

  constructor(
    aggregate: Aggregate,
    name: string,
    history: History<Aggregate>,
    inputs: readonly ReadyInput[],
  ) {
    this.#aggregate = aggregate;
    this.#watched = watched(aggregate);
    this.#name = name;
    this.#inputs = inputs;
    const behaviour = this.#behaviour(aggregate);
    const events = () => storedTexts(aggregate, behaviour, history, "history");
    this.#events = this.#at(undefined, events);
  }

  check(): void {
    const states = this.#oneByOne();
    const last = states.at(-1) ?? "";
    const whole = this.#behaviour(this.#aggregate);
    this.#at(states.length - 1, () => {
      whole.begin();
      whole.fold(this.#from(0));
      equal(last, whole.state(), "the state of a fold in one piece");
    });
    for (const [version, state] of states.entries()) {
      this.#at(version, () => {
        whole.restore(state);
        equal(state, whole.state(), "the state of a snapshot");
        whole.fold(this.#from(version));
        equal(last, whole.state(), "the state of a fold after a snapshot at this version");
      });
    }
  }

  /** The state at each version, from 0. Decides each input at each version. */
  #oneByOne(): string[] {
    const live = this.#behaviour(this.#watched);
    this.#at(0, () => live.begin());
    const states = [this.#decideAll(live, 0)];
    for (const [place, event] of this.#events.entries()) {
      this.#at(place + 1, () => live.fold(`[${event}]`));
      states.push(this.#decideAll(live, place + 1));
    }
    return states;
  }

  /** Decides all inputs at a version, and returns the state there. */
  #decideAll(live: Behaviour, version: number): string {
    const state = this.#at(version, () => live.state());
    for (const [place, input] of this.#inputs.entries()) {
      this.#at(version, () => this.#decide(live, version, state, input), `commands[${place}]`);
    }
    return state;
  }

  #decide(live: Behaviour, version: number, state: string, { decide }: ReadyInput): void {
    const context = JSON.stringify({ now: 0, version, metadata: {} });
    const decision = decide(live, context);
    equal(state, live.state(), "the state after a decision that was not stored");
    const restored = this.#behaviour(this.#aggregate);
    restored.restore(state);
    equal(decision, decide(restored, context), "the decision on a snapshot");
    equal(decision, decide(restored, context), "the second decision");
    restored.advance();
    const events = eventsIn(decision);
    if (events === undefined) return;
    const folded = this.#behaviour(this.#aggregate);
    folded.restore(state);
    const stored = events.map(({ type, schemaVersion = 1, data }, place) => {
      return exactText([version + place + 1, type, schemaVersion, data], `events[${place}]`);
    });
    folded.fold(`[${stored.join(",")}]`);
    equal(restored.state(), folded.state(), "the fold of the decided events");
  }

  #behaviour(aggregate: Aggregate): Behaviour {
    return new Behaviour(aggregate, streamOf(aggregate));
  }

  /** The events after a version. */
  #from(version: number): string {
    return `[${this.#events.slice(version).join(",")}]`;
  }

  /** Names the place in the error of a check. */
  #at<T>(version: number | undefined, check: () => T, what?: string): T {
    try {
      return check();
    } catch (thrown) {
      const error = unwrapped(thrown);
      const place = [this.#name, version === undefined ? "" : `version ${version}`, what ?? ""];
      const name = place.filter((part) => part !== "").join(", ");
      if (error instanceof DifferenceError) {
        const { headline, expected, actual } = error;
        throw new DifferenceError(`${name}: ${headline}`, expected, actual, error.cause);
      }
      throw new DifferenceError(
        `${name}: ${(error as Error).message}`,
        "no error",
        errorValue(error),
        error,
      );
    }
  }
}

/** The events of a decision; undefined if it is a rejection. */
function eventsIn(decision: string): DecidedEvent[] | undefined {
  const decided = JSON.parse(decision) as DecidedEvent[] | { readonly events?: DecidedEvent[] };
  return Array.isArray(decided) ? decided : decided.events;
}

/** Fails unless two texts are equal JSON. */
function equal(expected: string, actual: string, what: string): void {
  if (expected === actual) return;
  const [a, b] = [JSON.parse(expected), JSON.parse(actual)];
  const place = difference(a, b);
  if (place === undefined) return;
  const at = place.length === 0 ? "" : ` at \`${fieldAt("", place)}\``;
  throw new DifferenceError(`${what} differs${at}`, a, b);
}
