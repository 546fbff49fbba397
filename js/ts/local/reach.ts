import type { Failure } from "../store/errors.js";

/** Code of the caller that runs within a call of the engine, and the error when it uses the store. */
export const REACH = {
  projection: {
    code: "invalid_consumer",
    detail: "a projection's handler must use only the event and its documents, not the store",
  },
  aggregate: {
    code: "decider_failed",
    detail: "the code of an aggregate must use only its arguments, not the store",
  },
} as const satisfies Record<string, Failure>;
