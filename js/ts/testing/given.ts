import { Behaviour } from "../aggregate/behaviour.js";
import { difference } from "../aggregate/difference.js";
import type {
  Aggregate,
  Command,
  CommandOf,
  EventOf,
  FiredTimer,
  RejectionOf,
  StateOf,
} from "../aggregate/types.js";
import type { Rejection, SillokErrorCode } from "../store/errors.js";
import type { NewEvent } from "../store/events.js";
import { fieldAt, writeJson } from "../store/json.js";
import { checkOptions } from "../store/options.js";
import { DifferenceError, errorValue, unwrapped } from "./difference-error.js";
import type { History } from "./history.js";
import type { InputOf } from "./inputs.js";
import { type ReadyInput, readyInput } from "./ready-input.js";
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
  /** The timer that sends the command. Default: none, as for a command of a caller. */
  readonly timer?: FiredTimer | undefined;
}

/** A stream with a history, made by {@link given}. */
export interface Given<A extends Aggregate> {
  /**
   * Decides a command, also one of a timer. `prepare` is not called: pass the command as it returns it. A process also decides
   * an {@link event} of another stream, and an {@link answer}.
   */
  when(input: InputOf<A>, options?: WhenOptions): Decided<A>;
}

/** The data of the rejections with this code. */
type DataOf<R extends Rejection, Code> = R extends Rejection
  ? Code extends R["code"]
    ? R["data"]
    : never
  : never;

/** A timer that a test expects. */
export interface ExpectedTimer<C extends Command = Command> {
  /** The key of the timer. */
  readonly key: string;
  /** The time of the command: a `Date`, or milliseconds since 1970. */
  readonly at: number | Date;
  /** The command. */
  readonly command: C;
}

/** A sent command that a test expects. */
export interface ExpectedSent {
  /** The name of the sent command. */
  readonly name: string;
  /** The stream of the receiver. */
  readonly stream: string;
  /** The command. */
  readonly command: Command;
}

/** More expectations of a decision. Each method throws an error that shows the difference, if the decision is another one. */
export interface Further<A extends Aggregate> {
  /** Expects this state after the decision. */
  thenState(state: StateOf<A>): Further<A>;
  /** Expects that exactly this timer is set. */
  thenScheduled(key: string, at: number | Date, command: CommandOf<A>): Further<A>;
  /** Expects that exactly these timers are set, in this order. With `[]`, none is set. */
  thenScheduled(timers: readonly ExpectedTimer<CommandOf<A>>[]): Further<A>;
  /** Expects that exactly the timers with these keys are removed, in this order: one key, or several. With `[]`, none is removed. */
  thenCancelled(keys: string | readonly string[]): Further<A>;
  /** Expects that a process sends exactly this command, to this stream and under this name. */
  thenSent(name: string, stream: string, command: Command): Further<A>;
  /** Expects that a process sends exactly these commands, in this order. With `[]`, it sends none. */
  thenSent(sent: readonly ExpectedSent[]): Further<A>;
  /** Expects that the instance of a process is over after the decision. */
  thenEnded(): Further<A>;
}

/** The decision of an input. Each method throws an error that shows the difference, if the decision is another one. */
export interface Decided<A extends Aggregate> extends Further<A> {
  /** Expects exactly these events, in this order, with these data. Timers and sent commands are not compared. */
  then(events: EventOf<A> | readonly EventOf<A>[]): Further<A>;
  /** Expects a rejection with this code and exactly these data; without data, if `data` is left out. */
  thenRejected<Code extends RejectionOf<A>["code"]>(
    code: Code,
    data?: DataOf<RejectionOf<A>, Code>,
  ): void;
  /** Expects that nothing happens: no events, timers or sent commands. */
  thenNothing(): void;
  /** Expects an error with this code. */
  thenFails(code: SillokErrorCode): void;
}

/** A timer to set, or only the key of one to remove. */
type TimerJson = { readonly key: string; readonly at?: number; readonly command?: Command };

/** Everything that is decided but a rejection. */
interface Parts {
  readonly events: readonly NewEvent[];
  readonly timers?: readonly TimerJson[];
  readonly sent?: readonly ExpectedSent[];
}

/** The outcome of a decision: events and other parts, a rejection, or an error. */
type Outcome =
  | (Parts & { readonly state: unknown; readonly ended: boolean })
  | { readonly rejection: Rejection; readonly state: unknown }
  | { readonly error: unknown };

const OPTIONS = ["now", "metadata", "commandId", "timer"] as const satisfies (keyof WhenOptions)[];

/**
 * Tests an aggregate or a process without a store: after these events, a command gives these events, this rejection, this state,
 * or exactly these timers and sent commands. A process also decides an {@link event} of another stream and an {@link answer}. The code
 * of the engine runs here too: schemas, upcasts, and the checks of values. The functions of the aggregate are watched: if one
 * changes an argument, or calls `Date.now()` or `Math.random()`, the test fails.
 *
 * It works in vitest, node:test, Jest and every other runner. A failed expectation throws an error whose message shows the
 * difference. A test of Jest must not return the result of an expectation: write its body in braces.
 *
 * @param aggregate - The aggregate, or the process.
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
  const own = watched(aggregate);
  const behaviour = new Behaviour(own, streamOf(aggregate));
  const texts = storedTexts(aggregate, behaviour, history, "history");
  return {
    when(input, options = {}) {
      checkOptions(options, OPTIONS);
      const { now = 0, metadata = {}, commandId, timer } = options;
      const context = { now, version: texts.length, commandId, timer, metadata };
      const ready = readyInput(aggregate, input, "command");
      const contextText = exactText(context, "options");
      return decided(outcome(own, texts, ready, contextText));
    },
  };
}

function outcome(
  aggregate: Aggregate,
  texts: string[],
  { stream, decide }: ReadyInput,
  context: string,
): Outcome {
  try {
    const deciding = stream();
    const behaviour = new Behaviour(aggregate, deciding ?? streamOf(aggregate));
    behaviour.begin();
    behaviour.fold(`[${texts.join(",")}]`);
    const text = deciding === undefined ? "[]" : decide(behaviour, context);
    const decision = JSON.parse(text) as NewEvent[] | Parts | Rejection;
    behaviour.advance();
    const state: unknown = JSON.parse(behaviour.state());
    if (!Array.isArray(decision) && !("events" in decision)) return { rejection: decision, state };
    const parts = Array.isArray(decision) ? { events: decision } : decision;
    // A late input ends nothing: the instance was over before.
    const ended = behaviour.isEnded();
    return { ...parts, events: parts.events.map(plainEvent), state, ended };
  } catch (thrown) {
    const error = unwrapped(thrown);
    if (error instanceof DifferenceError) throw error;
    return { error };
  }
}

/** Fails unless both values are the same. `what` and `name` name the value in the error. */
function same(
  found: Outcome,
  [what, name]: readonly [what: string, name: string],
  expected: unknown,
  actual: unknown,
  context?: number,
): void {
  const place = difference(actual, expected);
  if (place === undefined) return;
  const headline = `${what} differs from the expected one at \`${fieldAt(name, place)}\``;
  const cause = "error" in found ? found.error : undefined;
  throw new DifferenceError(headline, expected, actual, cause, context);
}

const DECISION = ["the decision", ""] as const;
const STATE = ["the state", "state"] as const;

function expectDecision(found: Outcome, expected: object): void {
  same(found, DECISION, expected, decisionOf(found));
}

/** Expects exactly this list in the decision. */
function expectList(found: Outcome, list: keyof Pending, expected: readonly unknown[]): void {
  if (!("events" in found)) return expectDecision(found, { [list]: expected });
  // All of them are shown, also those that are expected.
  const actual = { [list]: pendingOf(found)[list] };
  same(found, DECISION, { [list]: expected }, actual, Infinity);
}

function furtherOf<A extends Aggregate>(found: Outcome): Further<A> {
  const further: Further<A> = {
    thenState(state) {
      const expected = JSON.parse(exactText(state, "state"));
      if ("error" in found) expectDecision(found, { state: expected });
      else same(found, STATE, expected, found.state);
      return further;
    },
    thenScheduled(
      ...expected: Listed<[key: string, at: number | Date, command: Command], ExpectedTimer>
    ) {
      const listed = listOf(expected, (key, at, command) => ({ key, at, command }));
      const timers = listed.map(({ key, at, command }) => {
        return { key, at: Math.ceil(Number(at)), command: plainCommand(command) };
      });
      expectList(found, "scheduled", timers);
      return further;
    },
    thenCancelled(keys) {
      expectList(found, "cancelled", typeof keys === "string" ? [keys] : keys);
      return further;
    },
    thenSent(...expected: Listed<[name: string, stream: string, command: Command], ExpectedSent>) {
      const listed = listOf(expected, (name, stream, command) => ({ name, stream, command }));
      const sent = listed.map(({ name, stream, command }) => {
        return { name, stream, command: plainCommand(command) };
      });
      expectList(found, "sent", sent);
      return further;
    },
    thenEnded() {
      if ("events" in found) same(found, DECISION, { ended: true }, { ended: found.ended });
      else expectDecision(found, { ended: true });
      return further;
    },
  };
  return further;
}

function decided<A extends Aggregate>(found: Outcome): Decided<A> {
  const further = furtherOf<A>(found);
  return {
    ...further,
    then(events: unknown) {
      // `await` calls `then` with functions.
      if (typeof events === "function") {
        throw new TypeError("the result of `when` is no promise: call one of its methods instead");
      }
      const list = Array.isArray(events) ? events : [events];
      const expected = JSON.parse(writeJson(list, "events").text) as NewEvent[];
      const plain = { events: expected.map(plainEvent) };
      if ("events" in found) same(found, DECISION, plain, { events: found.events });
      else expectDecision(found, plain);
      return further;
    },
    thenRejected(code, data) {
      const rejection = data === undefined ? { code } : { code, data };
      expectDecision(found, { rejection: JSON.parse(writeJson(rejection, "rejection").text) });
    },
    thenNothing: () => expectDecision(found, { events: [] }),
    thenFails(code) {
      const { code: actual } = ("error" in found ? found.error : {}) as { code?: unknown };
      if (actual !== code) expectDecision(found, { error: { code } });
    },
  };
}

/** The timers and the sent commands of a decision. */
interface Pending {
  readonly scheduled: readonly TimerJson[];
  readonly cancelled: readonly string[];
  readonly sent: readonly ExpectedSent[];
}

function pendingOf({ timers = [], sent = [] }: Parts): Pending {
  // The last change of a key takes the place of the others.
  const last = timers.filter(
    ({ key }, place) => timers.findLastIndex((one) => one.key === key) === place,
  );
  const isSet = ({ command }: TimerJson) => command !== undefined;
  const cancelled = last.filter((timer) => !isSet(timer)).map(({ key }) => key);
  return { scheduled: last.filter(isSet), cancelled, sent };
}

/** The arguments of an expectation: the parts of one item, or a list of items. */
type Listed<Parts extends readonly unknown[], Item> = Parts | [list: readonly Item[]];

function listOf<Parts extends readonly unknown[], Item>(
  given: Listed<Parts, Item>,
  item: (...parts: Parts) => Item,
): readonly Item[] {
  return Array.isArray(given[0]) ? (given[0] as readonly Item[]) : [item(...(given as Parts))];
}

/** A command as a decision has it. */
function plainCommand({ type, data = null, metadata }: Command): Command {
  const command = { type, data, ...(metadata !== undefined && { metadata }) };
  return JSON.parse(writeJson(command, "command").text) as Command;
}

/** The decision without the state, for a comparison. */
function decisionOf(found: Outcome): object {
  if ("error" in found) return { error: errorValue(found.error) };
  if ("rejection" in found) return { rejection: found.rejection };
  const pending = Object.entries(pendingOf(found)).filter(([, list]) => list.length > 0);
  return { events: found.events, ...Object.fromEntries(pending) };
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
