/** The Worker with a queue whose messages it takes itself, and tells at `/received`. */

import { sillok } from "../../worker/index.ts";

const app = sillok();
const received: { id: string; body: unknown }[] = [];

export const { Aggregate, Journal, Consumer } = app.objects;
export default {
  fetch(request: Request, env: unknown, context: object): Promise<Response> | Response {
    const { pathname } = new URL(request.url);
    return pathname === "/received" ? Response.json(received) : app.fetch(request, env, context);
  },
  queue(batch: { messages: readonly { id: string; body: unknown }[] }): void {
    received.push(...batch.messages.map(({ id, body }) => ({ id, body })));
  },
};
