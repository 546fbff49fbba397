// The inputs of aggregates and processes in tests.

import type { Behaviour } from "../aggregate/behaviour.js";
import { checkData } from "../aggregate/decided.js";
import { deepFreeze } from "../aggregate/freeze.js";
import { type FollowedEvent, instanceOf, isProcess } from "../aggregate/process-rules.js";
import type { Aggregate, CommandOf } from "../aggregate/types.js";
import type { Rejection } from "../store/errors.js";
import type { NewEvent } from "../store/events.js";
import { invalid } from "../store/invalid.js";
import { exactText } from "./stored-texts.js";

/** An event of another stream in tests. Only `type` is necessary. */
export interface GivenEvent extends NewEvent {
  /** The schema version of the data. Default: the newest. */
  readonly schemaVersion?: number | undefined;
  /** The place of the event in its stream. Default: 1. */
  readonly version?: number | undefined;
  /** The place of the event among the events of all streams. Default: 1. */
  readonly position?: number | undefined;
  /** The recorded time. Default: the first second of 1970. */
  readonly time?: string | undefined;
}

/** An answer in tests. */
export type GivenAnswer =
  | {
      /** The command was accepted. */
      readonly accepted: true;
      /** The stream of the command. Default: `other-1`. */
      readonly stream?: string | undefined;
      /** The version of that stream after the command. Default: 1. */
      readonly version?: number | undefined;
    }
  | {
      /** The rules of the stream have refused the command. */
      readonly accepted: false;
      /** The stream of the command. Default: `other-1`. */
      readonly stream?: string | undefined;
      /** The reason. */
      readonly rejection: Rejection;
    };

/** An event of another stream as an input, made by {@link event}. */
export interface EventInput {
  /** The kind of the input. */
  readonly input: "event";
  /** The event. */
  readonly event: NewEvent & FollowedEvent;
}

/** An answer as an input, made by {@link answer}. */
export interface AnswerInput {
  /** The kind of the input. */
  readonly input: "answer";
  /** The name of the sent command, and the fields of its answer. */
  readonly answer: { readonly name: string } & GivenAnswer;
}

/** The inputs of an aggregate: its commands. The inputs of a process: also events of other streams, and answers. */
export type InputOf<A extends Aggregate> =
  CommandOf<A> | (A extends { readonly kind: "process" } ? EventInput | AnswerInput : never);

/** An input, ready for any behaviour of the aggregate. */
export interface ReadyInput {
  /** The stream that decides; undefined if the input is for no stream. */
  stream(): string | undefined;
  /** Decides as a store does. The result is JSON as that of `decide`. */
  decide(behaviour: Behaviour, context: string): string;
}

const ENDED = '{"code":"process_ended"}';

/**
 * Makes an event of another stream, for {@link Given.when} and {@link laws}.
 *
 * @param stream - The stream of the event.
 * @param event - The event.
 *
 * @example
 * ```ts
 * import { process } from "sillok";
 * import { event, given } from "sillok/testing";
 *
 * const billing = process<{ type: "Billed"; data: string }, never, string[]>("billing", {
 *   initialState: () => [],
 *   evolve: (bills, { data }) => [...bills, data],
 *   decide: () => [],
 *   starts: { Placed: (event) => event.data.customer },
 *   on: { Placed: ({ stream }) => ({ type: "Billed", data: stream }) },
 * });
 * const placed = event("order-7", { type: "Placed", data: { customer: "ada" } });
 * given(billing).when(placed).then({ type: "Billed", data: "order-7" });
 * ```
 */
export function event(stream: string, event: GivenEvent): EventInput {
  if (typeof stream !== "string") throw invalid("stream", "must be a string");
  const { version = 1, position = 1, time = new Date(0).toISOString(), ...own } = event;
  const whole = { data: null, metadata: {}, id: `${stream}@${version}`, ...own };
  return {
    input: "event",
    event: { ...whole, stream, version, position, time } as EventInput["event"],
  };
}

/**
 * Makes an answer to a sent command, for {@link Given.when} and {@link laws}.
 *
 * @param name - The name of the sent command.
 * @param answer - The answer: `{ accepted: true }`, or `{ accepted: false, rejection: { code, data } }`.
 */
export function answer(name: string, answer: GivenAnswer): AnswerInput {
  const { stream = "other-1" } = answer;
  const whole = answer.accepted ? { version: 1, ...answer, stream } : { ...answer, stream };
  return { input: "answer", answer: { name, ...whole } };
}

/** Checks an input of this aggregate. `name` names it in errors. */
export function readyInput(aggregate: Aggregate, input: unknown, name: string): ReadyInput {
  const own = `${aggregate.name}-1`;
  const given = (input ?? {}) as EventInput | AnswerInput | { readonly input?: undefined };
  if (given.input === undefined) {
    const text = exactText(input, name);
    return {
      stream: () => own,
      decide: (behaviour, context) =>
        behaviour.isEnded() ? ENDED : behaviour.decide(text, context),
    };
  }
  if (!isProcess(aggregate)) {
    throw invalid(name, `must be a command: ${aggregate.name} is an aggregate, and no process`);
  }
  if (given.input === "answer") {
    const text = exactText(given.answer, name);
    return {
      stream: () => own,
      decide: (behaviour, context) =>
        behaviour.isEnded() ? "[]" : behaviour.answered(text, context),
    };
  }
  const text = exactText(given.event, name);
  const followed = JSON.parse(text) as FollowedEvent;
  checkSource(aggregate.sources, followed, name);
  return {
    stream: () => instanceOf(aggregate, followed),
    decide: (behaviour, context) => (behaviour.isEnded() ? "[]" : behaviour.on(text, context)),
  };
}

/** Checks a new event of a followed aggregate by its schema, as the store of that aggregate does. */
function checkSource(
  sources: readonly Aggregate[] | undefined,
  { stream, type, data, schemaVersion }: FollowedEvent,
  name: string,
): void {
  const source = sources?.find((one) => one.name === stream.split("-", 1)[0]);
  if (source === undefined || schemaVersion !== undefined) return;
  checkData(source.events, type, deepFreeze(data), name);
}
