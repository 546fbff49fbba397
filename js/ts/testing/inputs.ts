// The inputs of aggregates and processes in tests.

import type { FollowedEvent } from "../aggregate/process-rules.js";
import type { Aggregate, CommandOf } from "../aggregate/types.js";
import type { Rejection } from "../store/errors.js";
import type { NewEvent } from "../store/events.js";
import { invalid } from "../store/invalid.js";

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
export interface AnswerInput<Name extends string = string> {
  /** The kind of the input. */
  readonly input: "answer";
  /** The name of the sent command, and the fields of its answer. */
  readonly answer: { readonly name: Name } & GivenAnswer;
}

/** The inputs of an aggregate: its commands. The inputs of a process: also events of other streams, and answers. */
export type InputOf<A extends Aggregate> =
  | CommandOf<A>
  | (A extends { readonly kind: "process"; readonly answered: infer Answered }
      ? EventInput | AnswerInput<keyof Answered & string>
      : never);

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
 * console.log(placed.event.version); // 1
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
 * @param name - The name of the sent command, which has a function in `answered` of the process.
 * @param answer - The answer: `{ accepted: true }`, or `{ accepted: false, rejection: { code, data } }`.
 */
export function answer<Name extends string>(name: Name, answer: GivenAnswer): AnswerInput<Name> {
  const { stream = "other-1" } = answer;
  const whole = answer.accepted ? { version: 1, ...answer, stream } : { ...answer, stream };
  return { input: "answer", answer: { name, ...whole } };
}
