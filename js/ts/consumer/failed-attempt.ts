import { isSillokError } from "../store/errors.js";

/** What is wrong with an attempt, as the engine takes it: by the code it knows whether another may succeed. */
export interface FailedAttempt {
  /** In words. */
  readonly error: string;
  /** Of an error of Sillok's own, its code. */
  readonly code?: string;
}

/** What went wrong: a handler may throw anything. */
export function failedAttempt(thrown: unknown): FailedAttempt {
  try {
    const error = String(thrown);
    return isSillokError(thrown) ? { error, code: String(thrown.code) } : { error };
  } catch {
    return { error: "the handler threw what cannot be shown" };
  }
}
