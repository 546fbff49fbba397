import { Behaviour } from "../aggregate/behaviour.js";
import { difference } from "../aggregate/difference.js";
import type { Aggregate, CommandOf, EventOf, RejectionOf, StateOf } from "../aggregate/types.js";
import type { Rejection, SillokErrorCode } from "../store/errors.js";
import type { NewEvent } from "../store/events.js";
import { fieldAt, writeJson } from "../store/json.js";
import { checkOptions } from "../store/options.js";
import { DifferenceError, errorValue, unwrapped } from "./difference-error.js";
import type { History } from "./history.js";
import { checkAggregate, exactText, storedTexts, streamOf } from "./stored-texts.js";
import { watched } from "./watched.js";

/** Options of {@link Given.when}. */
export interface WhenOptions {
  /** The time of the decision, in milliseconds since 1970. Default: 0. */
  readonly now?: number | undefined;
  /** The metadata of the command. Default: `{}`. */
  readonly metadata?: Readonly<Record<string, unknown>> | undefined;
  /** The id of the command. */
  readonly commandId?: string | undefined;
}

/** A stream with a history, made by {@link given}. */
export interface Given<A extends Aggregate> {
  /** Decides a command. `prepare` is not called: pass the command as it returns it. */
  when(command: CommandOf<A>, options?: WhenOptions): Decided<A>;
}

/** The data of the rejections with this code. */
type DataOf<R extends Rejection, Code> = R extends Rejection
  ? Code extends R["code"]
    ? R["data"]
    : never
  : never;

/** The decision of a command. Each method throws an error that shows the difference, if the decision is another one. */
export interface Decided<A extends Aggregate> {
  /** Expects exactly these events, in this order, with these data. */
  then(events: EventOf<A> | readonly EventOf<A>[]): void;
  /** Expects this state after the decision. */
  thenState(state: StateOf<A>): void;
  /** Expects a rejection with this code and exactly these data; without data, if `data` is left out. */
  thenRejected<Code extends RejectionOf<A>["code"]>(
    code: Code,
    data?: DataOf<RejectionOf<A>, Code>,
  ): void;
  /** Expects that nothing happens: no events. */
  thenNothing(): void;
  /** Expects an error with this code. */
  thenFails(code: SillokErrorCode): void;
}

/** The outcome of a decision: events, a rejection, or an error. */
type Outcome =
  | { readonly events: readonly object[]; readonly state: unknown }
  | { readonly rejection: Rejection; readonly state: unknown }
  | { readonly error: unknown };

const OPTIONS = ["now", "metadata", "commandId"] as const satisfies (keyof WhenOptions)[];

/**
 * Tests an aggregate without a store: after these events, a command gives these events, this rejection or this state. The code
 * of the engine runs here too: schemas, upcasts, and the checks of values. The functions of the aggregate are watched: if one
 * changes an argument, or calls `Date.now()` or `Math.random()`, the test fails.
 *
 * It works in vitest, node:test, Jest and every other runner. A failed expectation throws an error whose message shows the
 * difference.
 *
 * @param aggregate - The aggregate.
 * @param history - The events before the command. An event with a `schemaVersion` is an older one.
 * @throws {@link SillokError} `invalid_event` when an event of the history is invalid; `decider_failed` when the upcasts of an
 * older event return data that its schema refuses.
 *
 * @example
 * ```ts
 * import { aggregate, reject } from "sillok";
 * import { given } from "sillok/testing";
 *
 * type Counted = { type: "Counted"; data: { by: number } };
 * type Count = { type: "Count"; data: { by: number } };
 *
 * const counter = aggregate<Counted, Count, number>("counter", {
 *   initialState: () => 0,
 *   decide: ({ data }, state) =>
 *     state + data.by > 10 ? reject("too_many", { most: 10 }) : { type: "Counted", data },
 *   evolve: (state, { data }) => state + data.by,
 * });
 *
 * const count = (by: number): Count => ({ type: "Count", data: { by } });
 * const counted = (by: number): Counted => ({ type: "Counted", data: { by } });
 * given(counter, [counted(2)]).when(count(3)).then(counted(3));
 * given(counter, [counted(2)]).when(count(3)).thenState(5);
 * given(counter, [counted(9)]).when(count(3)).thenRejected("too_many", { most: 10 });
 * try {
 *   given(counter).when(count(3)).then(counted(4));
 * } catch (error) {
 *   console.log(String(error).split("\n")[0]);
 *   // prints: AssertionError: the decision differs from the expected one at `events[0].data.by`
 * }
 * ```
 */
export function given<A extends Aggregate>(aggregate: A, history: History<A> = []): Given<A> {
  checkAggregate(aggregate);
  const behaviour = new Behaviour(watched(aggregate), streamOf(aggregate));
  const texts = storedTexts(aggregate, behaviour, history, "history");
  return {
    when(command, options = {}) {
      checkOptions(options, OPTIONS);
      const { now = 0, metadata = {}, commandId } = options;
      const context = { now, version: texts.length, commandId, metadata };
      const commandText = exactText(command, "command");
      const contextText = exactText(context, "options");
      return decided(outcome(behaviour, texts, commandText, contextText));
    },
  };
}

function outcome(behaviour: Behaviour, texts: string[], command: string, context: string): Outcome {
  try {
    behaviour.begin();
    behaviour.fold(`[${texts.join(",")}]`);
    const decision = JSON.parse(behaviour.decide(command, context)) as NewEvent[] | Rejection;
    behaviour.advance();
    const state: unknown = JSON.parse(behaviour.state());
    if (!Array.isArray(decision)) return { rejection: decision as Rejection, state };
    return { events: decision.map(plainEvent), state };
  } catch (thrown) {
    const error = unwrapped(thrown);
    if (error instanceof DifferenceError) throw error;
    return { error };
  }
}

function decided<A extends Aggregate>(found: Outcome): Decided<A> {
  const same = (expected: unknown, actual: unknown, what: string, name: string) => {
    const place = difference(actual, expected);
    if (place === undefined) return;
    const at = fieldAt(name, place);
    const cause = "error" in found ? found.error : undefined;
    throw new DifferenceError(
      `${what} differs from the expected one at \`${at}\``,
      expected,
      actual,
      cause,
    );
  };
  const expectDecision = (expected: object) =>
    same(expected, decisionOf(found), "the decision", "");
  return {
    then(events: unknown) {
      // `await` calls `then` with functions.
      if (typeof events === "function") {
        throw new TypeError("the result of `when` is no promise: call one of its methods instead");
      }
      const list = Array.isArray(events) ? events : [events];
      const expected = JSON.parse(writeJson(list, "events").text) as NewEvent[];
      expectDecision({ events: expected.map(plainEvent) });
    },
    thenState(state) {
      const expected = JSON.parse(exactText(state, "state"));
      if ("error" in found) expectDecision({ state: expected });
      else same(expected, found.state, "the state", "state");
    },
    thenRejected(code, data) {
      const rejection = data === undefined ? { code } : { code, data };
      expectDecision({ rejection: JSON.parse(writeJson(rejection, "rejection").text) });
    },
    thenNothing: () => expectDecision({ events: [] }),
    thenFails(code) {
      const { code: actual } = ("error" in found ? found.error : {}) as { code?: unknown };
      if (actual !== code) expectDecision({ error: { code } });
    },
  };
}

/** The decision without the state, for a comparison. */
function decisionOf(found: Outcome): object {
  if ("error" in found) return { error: errorValue(found.error) };
  return "events" in found ? { events: found.events } : { rejection: found.rejection };
}

/** An event without its schema version, and with its data. */
function plainEvent({
  type,
  data = null,
  ...others
}: NewEvent & { schemaVersion?: number }): NewEvent {
  const { schemaVersion: _, ...rest } = others;
  return { type, data, ...rest };
}
