// The way of `sillok/testing` to the engine of the program, which has no other one.

/** The place of the function in the class `EventStore`. It is the same for all copies of this file. */
export const LATE_INPUT = Symbol.for("sillok.lateInput");

/** A kind of input. `start` is an event of another stream that may start an instance, and `event` is another one. */
export type InputKind = "command" | "start" | "event" | "answer";

/** See `lateInput` of the engine. */
export type LateInput = (
  input: InputKind,
  isBegun: boolean,
  isEnded: boolean,
) => string | undefined;
