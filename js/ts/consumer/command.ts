import type { AppendResult } from "../store/events.js";
import { writeJson } from "../store/json.js";
import { type AppendOptions, checkOptions } from "../store/options.js";
import type { ReactorContext } from "./reactor.js";
import { checkStack } from "./stack.js";

const OPTIONS = ["expectedVersion"] as const satisfies (keyof AppendOptions)[];

/** Sends an append of a reactor as its command number `n`. The events are JSON. The engine still has to check the expected version. */
type Send = (
  n: number,
  stream: string,
  events: string,
  expected: unknown,
) => AppendResult | Promise<AppendResult>;

/**
 * The `append` of a reactor's handler for one event. The number of an append decides its idempotency key. So every append
 * counts, also one that cannot be sent: the next attempt may send it, and later appends must have the same keys then.
 */
export function appends(first: number, send: Send): ReactorContext["append"] {
  let next = first;
  return async (stream, events, options: AppendOptions = {}) => {
    const n = next;
    next += 1;
    checkOptions(options, OPTIONS);
    const { text } = writeJson(events, Array.isArray(events) ? "events" : "");
    checkStack();
    return send(n, stream, text, options.expectedVersion);
  };
}
