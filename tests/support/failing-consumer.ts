/**
 * The Worker with consumers that cannot be woken so often as their names say: `fails-3`. `/wakes` tells how often was tried.
 * After a request to `/silent`, no consumer answers whose name begins so.
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

/** How often each consumer was to be woken. */
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

  /** Its own alarm is lost until then: it hears of events by being woken alone. */
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
