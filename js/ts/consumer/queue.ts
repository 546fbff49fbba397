import { POLICY_TIMEOUT_MILLIS } from "../store/limits.js";
import { definedFor, type FollowerDefinition, invalidConsumer } from "./definition.js";
import { checkSending, type SendOptions } from "./webhook.js";

/** A queue of Cloudflare, as the environment of a Worker has it. */
export interface QueueBinding {
  /** Sends messages to the queue. */
  sendBatch(messages: Iterable<any>): Promise<unknown>;
}

/** Options of {@link queue}. `Env` is the type of the environment of the Worker. */
export interface QueueOptions<Env = unknown> extends SendOptions {
  /**
   * Returns the queue: `(env: Env) => env.AUDIT`. It gets the environment of the Worker, and the tenant whose events are sent;
   * `undefined` for the tenant without a name.
   */
  readonly queue: (env: Env, tenant: string | undefined) => QueueBinding;
}

/** A consumer in the code of a Worker that sends to a queue, made by {@link queue}. */
export interface QueueDefinition<Env = unknown> extends FollowerDefinition {
  /** The kind of the consumer. */
  readonly kind: "queue";
  /** Returns the queue. */
  readonly queue: (env: Env, tenant: string | undefined) => QueueBinding;
  /** The checkpoint to start after; undefined for the beginning. */
  readonly after: string | undefined;
  /** The longest time of an attempt, in milliseconds. */
  readonly timeout: number;
}

/**
 * Defines a consumer in the code of a Worker that sends each event to a Cloudflare Queue at least once, as a CloudEvent in
 * JSON. Register it in `sillok({ reactors: [ … ] })`. A message is text: read it with `JSON.parse(message.body)`. The consumer
 * runs for every tenant, and a message does not name the tenant.
 *
 * If the function of `queue` throws or returns no queue, the attempt has failed.
 *
 * @param name - The name of the consumer: 1 to 200 bytes of UTF-8 without control characters. A request cannot define a
 * consumer of this name.
 * @param options - The queue, the followed events, and the policy for failures.
 * @throws {@link SillokError} `invalid_consumer`, whose `field` names the wrong part; `invalid_parameter` for an unknown
 * option.
 *
 * @example
 * ```ts
 * import { queue, type QueueBinding } from "sillok";
 *
 * type Env = { AUDIT: QueueBinding };
 *
 * const audit = queue("audit", { queue: (env: Env) => env.AUDIT, onFailure: "stop" });
 * console.log(audit.kind, audit.name, audit.onFailure); // queue audit stop
 * ```
 */
export function queue<Env = unknown>(
  name: string,
  options: QueueOptions<Env>,
): QueueDefinition<Env> {
  const definition = definedFor(name, options, ["queue", "after", "timeout"]);
  const { queue, after, timeout = POLICY_TIMEOUT_MILLIS } = options;
  if (typeof queue !== "function") {
    throw invalidConsumer("queue", "must be a function that returns the queue");
  }
  checkSending(after, timeout);
  return Object.freeze({ kind: "queue", queue, after, timeout, ...definition });
}
