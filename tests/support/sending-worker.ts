/**
 * A Worker of your own with webhooks and queues in its code. `/received` returns the messages of the queue, which it consumes
 * itself.
 */

import { queue, sillok, webhook } from "../../worker/index.ts";

interface Env {
  readonly EVENTS: Queue;
  readonly RECEIVER?: string;
  readonly LARGE_SECRET?: string;
}

const received: unknown[] = [];
/** Each tenant has a receiver of its own. */
const url = (env: Env, tenant: string | undefined) => `${env.RECEIVER}/${tenant ?? ""}`;
const secret = (env: Env) => env.LARGE_SECRET;

const large = webhook("large", {
  url,
  secret,
  category: "order",
  types: ["Placed"],
  firstDelay: 10,
  longestDelay: 10,
});

/** Its secret is in no environment. */
const closed = webhook("closed", {
  url,
  secret: () => {
    throw new Error("there is no such secret");
  },
  category: "order",
});

/** It begins after the second event of the feed. */
const later = webhook("later", { url, secret, category: "late", after: "2", onFailure: "stop" });

const audit = queue("audit", { queue: (env: Env) => env.EVENTS, category: "order" });

/** Its queue is not bound. */
const lost = queue("lost", {
  queue: (env: Env) => (env as unknown as { NONE: Queue }).NONE,
  category: "order",
  attempts: 1,
});

const app = sillok({ reactors: [large, closed, later, audit, lost] });

export class Aggregate extends app.objects.Aggregate {}
export class Journal extends app.objects.Journal {}
export class Consumer extends app.objects.Consumer {}

export default {
  fetch(request: Request, env: unknown, context: object): Promise<Response> | Response {
    if (new URL(request.url).pathname === "/received") return Response.json(received);
    return app.fetch(request, env, context);
  },
  queue(batch: { messages: readonly { body: unknown }[] }): void {
    received.push(...batch.messages.map(({ body }) => body));
  },
};
