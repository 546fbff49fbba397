// Checks the options of `EventStore.open`.

import { invalid } from "../store/invalid.js";
import { BUSY_TIMEOUT_MILLIS, TIMER_MILLIS } from "../store/limits.js";
import { checkOptions, type OpenOptions } from "../store/options.js";

/** Checked options of an open file. */
export interface Opening {
  /** Milliseconds to wait while another connection has the file locked. */
  readonly busyTimeout: number;
  /** Whether the file is opened for reading only. */
  readonly readOnly: boolean;
}

const OPEN_OPTIONS = ["busyTimeout", "readOnly"] as const satisfies (keyof OpenOptions)[];

/** Checks the options, and adds the defaults. */
export function wantedOpening(options: OpenOptions): Opening {
  checkOptions(options, OPEN_OPTIONS);
  const { busyTimeout = BUSY_TIMEOUT_MILLIS, readOnly = false } = options;
  if (!Number.isInteger(busyTimeout) || busyTimeout < 0 || busyTimeout > TIMER_MILLIS) {
    throw invalid(
      "busyTimeout",
      `must be a whole number from 0 to ${TIMER_MILLIS}, in milliseconds`,
    );
  }
  if (typeof readOnly !== "boolean") throw invalid("readOnly", "must be true or false");
  return { busyTimeout, readOnly };
}
