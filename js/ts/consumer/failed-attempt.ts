import { isSillokError } from "../store/errors.js";
import { isRemembered } from "./command.js";

/** The longest stack that the engine gets, in UTF-16 units. The engine stores 8 KiB of it. */
const STACK_LENGTH = 8192;

/** A failed attempt, in the form for the engine. The code decides whether a retry can help. */
export interface FailedAttempt {
  /** The error as text. */
  readonly error: string;
  /** The stack of the error, and of its causes. */
  readonly stack?: string;
  /** The code, if it is Sillok's own error. */
  readonly code?: string;
  /** True if no retry can help, whatever the code. */
  readonly isFinal?: true;
}

/** The failed attempt of a handler, which may throw any value. */
export function failedAttempt(thrown: unknown): FailedAttempt {
  try {
    const [error, stack] = [String(thrown), stackOf(thrown)];
    const failed = stack === undefined ? { error } : { error, stack };
    if (isRemembered(thrown)) return { ...failed, isFinal: true };
    return isSillokError(thrown) ? { ...failed, code: String(thrown.code) } : failed;
  } catch {
    return { error: "the handler has thrown a value that cannot be converted to text" };
  }
}

/** The stack of an error, and of the errors that have caused it, without the lines of the engine. */
export function stackOf(thrown: unknown): string | undefined {
  if (!(thrown instanceof Error) || typeof thrown.stack !== "string") return undefined;
  let stack = ownLines(thrown.stack);
  for (let { cause } = thrown; stack.length < STACK_LENGTH && cause instanceof Error;) {
    stack += `\ncaused by: ${ownLines(String(cause.stack))}`;
    cause = cause.cause;
  }
  return stack.slice(0, STACK_LENGTH);
}

/** The lines of a stack before the first one of the engine, which has called the code. */
function ownLines(stack: string): string {
  return stack.replace(/\n +at [^\n]*wasm:\/\/[^]*$/, "");
}
