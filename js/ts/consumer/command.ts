import { isAggregate } from "../aggregate/definition.js";
import type { AnyAggregate, CommandOutcome } from "../aggregate/aggregate-store.js";
import { accepted, commandRejected } from "../aggregate/command-input.js";
import type { AppendResult } from "../store/events.js";
import { invalid } from "../store/invalid.js";
import { writeJson } from "../store/json.js";
import { type AppendOptions, checkOptions } from "../store/options.js";
import type { ReactorContext } from "./reactor.js";
import { checkStack } from "./stack.js";

const OPTIONS = ["expectedVersion"] as const satisfies (keyof AppendOptions)[];

/** The rejections of commands under the id of a delivery. The store remembers them, so no other attempt gets another outcome. */
const remembered = new WeakSet<object>();

/** Whether no other attempt at the event gets another outcome. */
export function isRemembered(thrown: unknown): boolean {
  return typeof thrown === "object" && thrown !== null && remembered.has(thrown);
}

/** Sends the appends and the commands of a reactor, each with its number `n`. */
export interface Sender {
  /** The events are JSON. The engine still has to check the expected version. */
  append(
    n: number,
    stream: string,
    events: string,
    expected: unknown,
  ): AppendResult | Promise<AppendResult>;
  execute(
    n: number,
    stream: string,
    command: unknown,
    aggregate: AnyAggregate,
  ): Promise<CommandOutcome>;
}

/**
 * The `append` and the `execute` of a reactor's handler for one event. The number of an act decides its idempotency key or its
 * command's id. So every act counts, also one that cannot be sent: the next attempt may send it, and later acts must have the
 * same keys then.
 */
export function actsOf(
  first: number,
  { append, execute }: Sender,
): Pick<ReactorContext, "append" | "execute"> {
  let next = first;
  return {
    async append(stream, events, options: AppendOptions = {}) {
      const n = next;
      next += 1;
      checkOptions(options, OPTIONS);
      const { text } = writeJson(events, Array.isArray(events) ? "events" : "");
      checkStack();
      return append(n, stream, text, options.expectedVersion);
    },
    async execute(stream, command, aggregate): Promise<any> {
      const n = next;
      next += 1;
      if (!isAggregate(aggregate))
        throw invalid("aggregate", "must be a result of `aggregate` or `process`");
      if (String(stream).split("-", 1)[0] !== aggregate.name) {
        throw invalid("stream", `must be of the category ${aggregate.name}`);
      }
      checkStack();
      const outcome = await execute(n, stream, command, aggregate);
      if (outcome.accepted) return accepted(outcome);
      const rejected = commandRejected(outcome);
      remembered.add(rejected);
      throw rejected;
    },
  };
}
