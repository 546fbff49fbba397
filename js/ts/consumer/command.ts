import type { AppendResult } from "../store/events.js";
import { writeJson } from "../store/json.js";
import { type AppendOptions, checkOptions } from "../store/options.js";
import type { ReactorContext } from "./reactor.js";
import { checkStack } from "./stack.js";

const OPTIONS = ["expectedVersion"] as const satisfies (keyof AppendOptions)[];

/** Sends what a reactor appends as its command number `n`: the events as JSON, and the expected version, still to be checked. */
type Send = (
  n: number,
  stream: string,
  events: string,
  expected: unknown,
) => AppendResult | Promise<AppendResult>;

/**
 * By what a reactor's handler appends upon one event. The number of an append decides its key, so each is counted, also one
 * that cannot be sent: whether it can may be another the next time, and those after it must keep their keys.
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
