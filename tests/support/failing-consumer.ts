/**
 * The Worker with consumers whose wakes fail. The name says how often: `fails-3`. `/wakes` returns the number of wakes. After a
 * request to `/silent`, no consumer whose name begins with `silent` answers.
 */

import type { DurableObject } from "cloudflare:workers";

import app, { Consumer as Sound } from "../../worker/entry.ts";

export { Aggregate, Journal } from "../../worker/entry.ts";

type ConsumerClass = new (
  context: DurableObjectState,
  env: Cloudflare.Env,
) => DurableObject & {
  wake(request: unknown): unknown;
  ask(request: unknown): unknown;
  alarm(): Promise<void>;
};

/** The number of wakes of each consumer. */
const wakes = new Map<string, number>();
let silent = false;

export class Consumer extends (Sound as ConsumerClass) {
  override wake(request: unknown): unknown {
    const name = this.ctx.id.name ?? "";
    const count = (wakes.get(name) ?? 0) + 1;
    wakes.set(name, count);
    if (count <= Number(name.replace("fails-", "")))
      throw Object.assign(new Error("not now"), { retryable: true });
    return super.wake(request);
  }

  /** Its own alarm is lost until then, so only a wake can start it. */
  override async alarm(): Promise<void> {
    const name = this.ctx.id.name ?? "";
    if ((wakes.get(name) ?? 0) <= Number(name.replace("fails-", ""))) return;
    await super.alarm();
  }

  override ask(request: unknown): unknown {
    if (silent && this.ctx.id.name?.startsWith("silent") === true) throw new Error("no answer");
    return super.ask(request);
  }
}

export default {
  fetch(request: Request, env: unknown, context: object): Promise<Response> | Response {
    const { pathname } = new URL(request.url);
    if (pathname === "/silent") silent = true;
    if (pathname === "/wakes") return Response.json(Object.fromEntries(wakes));
    return app.fetch(request, env, context);
  },
};
