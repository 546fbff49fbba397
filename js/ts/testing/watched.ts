// Watches the functions of an aggregate: that they change nothing, and use nothing but their arguments.

import { difference } from "../aggregate/difference.js";
import { isProcess, type ProcessRules, type ReactionFunction } from "../aggregate/process-rules.js";
import type { Aggregate } from "../aggregate/types.js";
import { fieldAt, writeExactJson } from "../store/json.js";
import { DifferenceError } from "./difference-error.js";
import { onOwnPlatform } from "./platform.js";

/** The arguments of a call, by their names. */
type Arguments = Readonly<Record<string, unknown>>;
type AnyFunction = (...args: unknown[]) => unknown;

/** One run of a function. */
interface Run {
  /** The arguments after the run. */
  readonly after: Arguments;
  /** The names of the functions of the platform that it has called. */
  readonly used: ReadonlySet<string>;
  readonly result?: unknown;
  readonly thrown?: { readonly error: unknown };
}

/** The aggregate with functions that throw a {@link DifferenceError} if the aggregate's own are not pure. */
export function watched(aggregate: Aggregate): Aggregate {
  const { kind, name } = aggregate;
  const own = aggregate as unknown as Record<"initialState" | "decide" | "evolve", AnyFunction>;
  const stateOf = (method: string, state: unknown) => {
    checkState(`the state from ${method}`, state);
    return state;
  };
  return Object.freeze({
    ...aggregate,
    ...(isProcess(aggregate) && watchedRules(aggregate)),
    initialState() {
      const method = `\`initialState\` of the ${kind} ${name}`;
      return stateOf(
        method,
        pure(method, {}, () => own.initialState()),
      );
    },
    evolve(state: unknown, event: { type: string }) {
      const method = `\`evolve\` of the ${kind} ${name}, for ${event.type}`;
      const call = (given: Arguments) => own.evolve(given["state"], given["event"]);
      return stateOf(method, pure(`${method},`, { state, event }, call));
    },
    decide(command: { type: string }, state: unknown, context: unknown) {
      const method = `\`decide\` of the ${kind} ${name}, for the command ${command.type},`;
      const call = (given: Arguments) =>
        own.decide(given["command"], given["state"], given["context"]);
      return pure(method, { command, state, context }, call);
    },
  }) as Aggregate;
}

/** The functions of a process that an aggregate does not have. */
function watchedRules(process: Aggregate & ProcessRules): Partial<ProcessRules> {
  const { name, on, answered, ended } = process;
  const each = (functions: ProcessRules["on"], method: string) =>
    // Without a prototype, as those of a process.
    Object.setPrototypeOf(
      Object.fromEntries(
        Object.entries(functions).map(([key, own]) => {
          const what = `\`${method}.${key}\` of the process ${name}`;
          const decide = (input: unknown, state: unknown, context: unknown) =>
            pure(what, { input, state, context }, (given) =>
              (own as AnyFunction)(given["input"], given["state"], given["context"]),
            );
          return [key, decide as ReactionFunction];
        }),
      ),
      null,
    ) as ProcessRules["on"];
  const end = (state: unknown) =>
    pure(`\`ended\` of the process ${name}`, { state }, (given) =>
      (ended as AnyFunction)(given["state"]),
    );
  return {
    on: each(on, "on"),
    answered: each(answered, "answered"),
    ...(ended !== undefined && { ended: end }),
  };
}

/** Calls a function twice, each time with new copies of its arguments, which are not frozen. */
function pure(method: string, args: Arguments, call: (args: Arguments) => unknown): unknown {
  const first = run(0, args, call);
  const isPromise = typeof (first.result as PromiseLike<unknown> | undefined)?.then === "function";
  const second = isPromise ? first : run(1, args, call);
  const changed = difference(first.after, args);
  if (changed !== undefined) {
    const headline = `${method} changes \`${fieldAt("", changed)}\`, which is an argument`;
    throw new DifferenceError(headline, args, first.after);
  }
  const [used] = [...first.used, ...second.used];
  if (used !== undefined) {
    const headline = `${method} calls ${used}. It must use only its arguments, such as \`now\` of the context`;
    throw new DifferenceError(headline, outcomeOf(first), outcomeOf(second));
  }
  const [before, after] = [outcomeOf(first), outcomeOf(second)];
  const place = difference(before, after);
  if (place !== undefined) {
    const headline = `${method} gives two results for the same arguments: \`${fieldAt("", place)}\` differs`;
    throw new DifferenceError(headline, before, after);
  }
  if (first.thrown !== undefined) throw first.thrown.error;
  return first.result;
}

function run(number: number, args: Arguments, call: (args: Arguments) => unknown): Run {
  const used = new Set<string>();
  const after = copied(args);
  try {
    return { after, used, result: onOwnPlatform(number, used, () => call(after)) };
  } catch (error) {
    return { after, used, thrown: { error } };
  }
}

/** The outcome of a run, for a comparison. */
function outcomeOf({ result, thrown }: Run): object {
  return thrown === undefined ? { result } : { thrown: String(thrown.error) };
}

/** Fails if JSON changes the state. */
function checkState(what: string, state: unknown): void {
  // The engine refuses it: it is no state.
  if (state === undefined) return;
  if (typeof (state as PromiseLike<unknown> | null)?.then === "function") return;
  try {
    writeExactJson(state, "state");
  } catch (refused) {
    const headline = `JSON changes ${what}: ${(refused as Error).message}`;
    throw new DifferenceError(headline, state, throughJson(state), refused);
  }
}

function throughJson(value: unknown): unknown {
  try {
    return JSON.parse(JSON.stringify(value));
  } catch (error) {
    return error;
  }
}

/** A copy of all plain objects and arrays in the value. */
function copied<T>(value: T): T {
  if (typeof value !== "object" || value === null) return value;
  if (Array.isArray(value)) return value.map(copied) as T;
  const prototype: unknown = Object.getPrototypeOf(value);
  if (prototype !== null && Object.getPrototypeOf(prototype) !== null) return value;
  return Object.fromEntries(Object.entries(value).map(([key, field]) => [key, copied(field)])) as T;
}
