import type { Rejection } from "./errors.js";
import { invalid } from "./invalid.js";
import { TIMER_KEY_BYTES } from "./limits.js";
import { isName } from "./names.js";

/** A timer of a stream, as a store lists it. */
export interface Timer {
  /** The key of the timer, which the aggregate has chosen. */
  key: string;
  /** The time at which the timer is due. */
  due: string;
  /** The command that the aggregate sends to itself. */
  command: { type: string; data: unknown; metadata: unknown };
  /**
   * `due`: the timer is attempted at its time. `parked`: it is not attempted any more. `rejected`: the rules have refused the command;
   * the timer is done, and stays in the list until its key is set again or cancelled.
   */
  state: "due" | "parked" | "rejected";
  /** The number of attempts that have failed. */
  failedAttempts: number;
  /** The time of the next attempt, after a failed one. */
  nextAttempt?: string;
  /** The error of the last failed attempt. */
  lastError?: { code: string; detail: string };
  /** The rejection of a rejected timer. */
  rejection?: Rejection;
}

/** Refuses a text that is no key of a timer. */
export function checkTimerKey(key: unknown): asserts key is string {
  if (isName(key, TIMER_KEY_BYTES)) return;
  const what = `a string of 1 to ${TIMER_KEY_BYTES} bytes of UTF-8 without control characters`;
  throw invalid("key", `must be ${what}`);
}
