/**
 * The Worker with a queue whose messages it consumes itself. `/received` returns the messages. `/batches` returns the batches.
 * A batch is refused if one of its events says that it is spoilt.
 */

import type { DurableObject } from "cloudflare:workers";

import { sillok } from "../../worker/index.ts";

const app = sillok();
const received: { id: string; body: unknown }[] = [];
/** The sizes of the messages of each sent batch. */
const batches: number[][] = [];

type Batch = readonly { body: string }[];
type ConsumerClass = new (context: DurableObjectState, env: Cloudflare.Env) => DurableObject;

export class Aggregate extends app.objects.Aggregate {}
export class Journal extends app.objects.Journal {}

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
