/**
 * The Worker with streams whose reads can be held. `/hold` holds them until `/go`. `/hold?reads=` lets this number of reads
 * pass first. `/reads` returns the number of begun reads.
 */

import type { DurableObject } from "cloudflare:workers";

import app, { Aggregate as Sound } from "../../worker/entry.ts";

export { Consumer, Journal } from "../../worker/entry.ts";

type AggregateClass = new (
  context: DurableObjectState,
  env: Cloudflare.Env,
) => DurableObject & { read(request: unknown): unknown };

/** The number of reads that may begin in total. */
let most = Infinity;
let reads = 0;

export class Aggregate extends (Sound as AggregateClass) {
  override async read(request: unknown): Promise<unknown> {
    reads += 1;
    const place = reads;
    while (place > most) await scheduler.wait(5);
    return super.read(request);
  }
}

export default {
  fetch(request: Request, env: unknown, context: object): Promise<Response> | Response {
    const { pathname, searchParams } = new URL(request.url);
    if (pathname === "/reads") return Response.json(reads);
    if (pathname !== "/hold" && pathname !== "/go") return app.fetch(request, env, context);
    const left = Number(searchParams.get("reads") ?? 0);
    most = pathname === "/hold" ? reads + left : Infinity;
    return new Response();
  },
};
