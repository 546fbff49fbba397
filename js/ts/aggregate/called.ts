// Calls the functions and schemas of an aggregate. Everything that they throw becomes an error with a code here.

import { SillokError } from "../store/errors.js";
import { isRejected } from "./reject.js";

/**
 * Calls code of an aggregate, which must be synchronous. `name` names the call for errors. The text of an error does not
 * contain what was thrown, which may be secret: `cause` has it.
 *
 * @throws {@link SillokError} `decider_failed` when the code throws; `code` when it returns a promise.
 */
export function called<T>(
  call: () => T,
  name: () => string,
  code: "async_decider" | "async_schema" = "async_decider",
): T {
  let returned: T;
  let isPromise: boolean;
  try {
    returned = call();
    isPromise = typeof (returned as PromiseLike<unknown> | undefined)?.then === "function";
  } catch (thrown) {
    const what = isThrownRejection(thrown)
      ? "a rejection: return the rejection, do not throw it"
      : "an error";
    throw failed(`${name()} has thrown ${what}`, thrown);
  }
  if (!isPromise) return returned;
  // A rejection of this promise is ignored. An unhandled one would end the program.
  void Promise.resolve(returned).catch(() => {});
  const detail = `${name()} has returned a promise. It must be synchronous`;
  throw new SillokError({ code, detail });
}

/** Makes a call that reads values of an aggregate's code, such as a getter that throws. Errors with a code pass. */
export function guarded<T>(call: () => T, name: () => string): T {
  try {
    return call();
  } catch (thrown) {
    if (thrown instanceof SillokError) throw thrown;
    throw failed(`${name()} has returned a value that throws an error`, thrown);
  }
}

function isThrownRejection(thrown: unknown): boolean {
  try {
    return isRejected(thrown);
  } catch {
    // Its fields throw errors.
    return false;
  }
}

/** The error of an aggregate whose code is wrong. `field` names the wrong part of a decision. */
export function failed(detail: string, cause?: unknown, field?: string): SillokError {
  const failure = {
    code: "decider_failed",
    detail,
    ...(field !== undefined && { field }),
  } as const;
  return new SillokError(failure, cause === undefined ? {} : { cause });
}
