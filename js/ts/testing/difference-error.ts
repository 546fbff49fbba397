import { isSillokError } from "../store/errors.js";
import { diff } from "./shown.js";

/**
 * An assertion that does not hold. Its message contains the difference. vitest, node:test, Jest and other runners also show
 * `expected` and `actual`.
 */
export class DifferenceError extends Error {
  override readonly name = "AssertionError";
  readonly code = "ERR_ASSERTION";
  readonly operator = "deepStrictEqual";
  readonly generatedMessage = false;
  readonly showDiff = true;
  readonly headline: string;
  readonly expected: unknown;
  readonly actual: unknown;

  constructor(
    headline: string,
    expected: unknown,
    actual: unknown,
    cause?: unknown,
    context?: number,
  ) {
    super(
      `${headline}\n\n${diff(expected, actual, context)}\n`,
      cause === undefined ? {} : { cause },
    );
    this.headline = headline;
    this.expected = expected;
    this.actual = actual;
  }
}

/** The error of a failed call: the assertion that the aggregate's watched code has thrown, if it is one. */
export function unwrapped(error: unknown): unknown {
  return isSillokError(error) && error.cause instanceof DifferenceError ? error.cause : error;
}

/** An error as a value, for a comparison. */
export function errorValue(error: unknown): object {
  if (!isSillokError(error)) return { error: String(error) };
  const { code, field, message, cause } = error;
  return {
    code,
    ...(field !== undefined && { field }),
    message,
    ...(cause !== undefined && { cause: String(cause) }),
  };
}
