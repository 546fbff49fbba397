/**
 * The Worker with a queue whose messages it takes itself: `/received` tells them, and `/batches` what was sent at once. A
 * batch in which an event says that it is spoilt is refused.
 */

import type { DurableObject } from "cloudflare:workers";

import { sillok } from "../../worker/index.ts";

const app = sillok();
const received: { id: string; body: unknown }[] = [];
/** The sizes of the messages of each batch that was sent. */
const batches: number[][] = [];

type Batch = readonly { body: string }[];
type ConsumerClass = new (context: DurableObjectState, env: Cloudflare.Env) => DurableObject;

export const { Aggregate, Journal } = app.objects;

export class Consumer extends (app.objects.Consumer as ConsumerClass) {
  constructor(context: DurableObjectState, env: { EVENTS: Queue } & Cloudflare.Env) {
    async function sendBatch(messages: Batch): Promise<void> {
      batches.push(messages.map(({ body }) => body.length));
      if (messages.some(({ body }) => body.includes("spoilt"))) throw new Error("it is spoilt");
      await env.EVENTS.sendBatch(messages);
    }
    super(context, { ...env, EVENTS: { sendBatch } } as Cloudflare.Env);
  }
}

export default {
  fetch(request: Request, env: unknown, context: object): Promise<Response> | Response {
    const { pathname } = new URL(request.url);
    if (pathname === "/received") return Response.json(received);
    if (pathname === "/batches") return Response.json(batches);
    return app.fetch(request, env, context);
  },
  queue(batch: { messages: readonly { id: string; body: unknown }[] }): void {
    received.push(...batch.messages.map(({ id, body }) => ({ id, body })));
  },
};
