/** The Worker with streams whose reads may be held: from `/hold` to `/go`. `/reads` tells how many have begun. */

import type { DurableObject } from "cloudflare:workers";

import app, { Aggregate as Sound } from "../../worker/entry.ts";

export { Consumer, Journal } from "../../worker/entry.ts";

type AggregateClass = new (
  context: DurableObjectState,
  env: Cloudflare.Env,
) => DurableObject & { read(request: unknown): unknown };

let isHeld = false;
let reads = 0;

export class Aggregate extends (Sound as AggregateClass) {
  override async read(request: unknown): Promise<unknown> {
    reads += 1;
    while (isHeld) await scheduler.wait(5);
    return super.read(request);
  }
}

export default {
  fetch(request: Request, env: unknown, context: object): Promise<Response> | Response {
    const { pathname } = new URL(request.url);
    if (pathname === "/reads") return Response.json(reads);
    if (pathname !== "/hold" && pathname !== "/go") return app.fetch(request, env, context);
    isHeld = pathname === "/hold";
    return new Response();
  },
};
