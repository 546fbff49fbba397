import { isSillokError } from "../store/errors.js";
import { isRemembered } from "./command.js";

/** A failed attempt, in the form for the engine. The code decides whether a retry can help. */
export interface FailedAttempt {
  /** The error as text. */
  readonly error: string;
  /** The code, if it is Sillok's own error. */
  readonly code?: string;
  /** True if no retry can help, whatever the code. */
  readonly isFinal?: true;
}

/** The failed attempt of a handler, which may throw any value. */
export function failedAttempt(thrown: unknown): FailedAttempt {
  try {
    const error = String(thrown);
    if (isRemembered(thrown)) return { error, isFinal: true };
    return isSillokError(thrown) ? { error, code: String(thrown.code) } : { error };
  } catch {
    return { error: "the handler has thrown a value that cannot be converted to text" };
  }
}
