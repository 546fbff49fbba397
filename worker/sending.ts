// Webhooks and queues in TypeScript, in the shape that the engine calls. The engine sends the events itself.

import { failedAttempt } from "../js/ts/consumer/failed-attempt.ts";
import type { QueueBinding, QueueDefinition } from "../js/ts/consumer/queue.ts";
import type { FromEnv, WebhookDefinition } from "../js/ts/consumer/webhook.ts";

/** Where a consumer runs: the environment of its Worker, and its tenant. */
type Place = readonly [env: unknown, tenant: string | undefined];

/** A consumer in code that sends events without a handler. */
export type AnySending = WebhookDefinition<any> | QueueDefinition<any>;

/** What the engine asks of the code of a consumer that sends. */
interface Sending {
  /**
   * The queue. A webhook is not asked.
   *
   * @throws A failed attempt if there is no queue.
   */
  queue(): QueueBinding;
}

/** Whether a consumer sends events without a handler. */
export function isSending(consumer: { readonly kind: string }): consumer is AnySending {
  return consumer.kind === "webhook" || consumer.kind === "queue";
}

/**
 * The definition of a webhook or a queue as JSON, and its code. The definition of a webhook has the URL and the secret of its
 * place.
 */
export function sending(consumer: AnySending, place: Place): [string, Sending] {
  const { name, ...definition } = consumer;
  const parts =
    consumer.kind === "webhook"
      ? { url: valueOf(consumer, "url", place), secret: valueOf(consumer, "secret", place) }
      : { queue: undefined };
  const text = JSON.stringify({ ...definition, ...parts });
  return [text, { queue: () => queueOf(consumer, place) }];
}

/** The value of a webhook's part at this place; undefined if there is none. */
function valueOf(
  { name, ...parts }: WebhookDefinition<any>,
  part: "url" | "secret",
  place: Place,
): string | undefined {
  const given: FromEnv<string, any> = parts[part];
  try {
    const value: unknown = typeof given === "function" ? given(...place) : given;
    if (typeof value === "string") return value;
    console.error(`the webhook ${name} has no \`${part}\`: its function returned no string`);
  } catch (thrown) {
    console.error(`the webhook ${name} has no \`${part}\`: its function failed:`, thrown);
  }
  return undefined;
}

function queueOf(consumer: AnySending, place: Place): QueueBinding {
  const { name } = consumer;
  try {
    const found = consumer.kind === "queue" ? consumer.queue(...place) : undefined;
    if (typeof found?.sendBatch === "function") return found;
    throw new TypeError(`\`queue\` of ${name} returned no queue; wrangler.toml must bind it`);
  } catch (thrown) {
    throw failedAttempt(thrown);
  }
}
