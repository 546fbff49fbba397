import type { Rejection } from "../store/errors.js";
import type { Stored } from "../store/events.js";
import { invalid } from "../store/invalid.js";
import { EVENT_TYPE_BYTES } from "../store/limits.js";
import { isName } from "../store/names.js";

/** The result of {@link reject}, for `decide` to return. */
export interface Rejected<R extends Rejection = Rejection> {
  /** The reason. */
  readonly rejection: R;
}

/**
 * Makes the decision that the rules refuse the command. `decide` returns it, instead of events. A rejection is an answer and
 * not a fault: the store remembers it under the id of the command.
 *
 * @param code - The stable name of the reason, such as `insufficient_funds`: 1 to 200 bytes of UTF-8 without control
 * characters.
 * @param data - Information about the reason: any value that JSON can represent.
 * @throws {@link SillokError} `invalid_parameter` when the code is not such a string.
 *
 * @example
 * ```ts
 * import { reject } from "sillok";
 *
 * const { rejection } = reject("insufficient_funds", { missing: 400 });
 * console.log(rejection.code, rejection.data.missing); // insufficient_funds 400
 * ```
 */
export function reject<Code extends string>(
  code: Code,
): Rejected<{ readonly code: Code; readonly data?: undefined }>;
/** Makes a rejection with data: any value that JSON can represent. */
export function reject<Code extends string, Data>(
  code: Code,
  data: Data,
): Rejected<{ readonly code: Code; readonly data: Stored<Data> }>;
export function reject(code: string, data?: unknown): Rejected {
  if (!isName(code, EVENT_TYPE_BYTES)) {
    const reason = `must be a string of 1 to ${EVENT_TYPE_BYTES} bytes of UTF-8 without control characters`;
    throw invalid("code", reason);
  }
  return Object.freeze({
    rejection: Object.freeze(data === undefined ? { code } : { code, data }),
  });
}

/** Whether a decision is a rejection, of this copy of the package or another one. */
export function isRejected(decision: unknown): decision is Rejected {
  if (typeof decision !== "object" || decision === null || "type" in decision) return false;
  const { rejection } = decision as Partial<Rejected>;
  return typeof rejection?.code === "string";
}
