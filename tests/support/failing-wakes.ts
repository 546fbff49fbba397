/**
 * The Worker with journals whose storage fails once. The variable FAILS says when: at the read of the consumers to wake
 * (`read`), or at the setting of the alarm for a consumer that was not woken (`alarm`). `/failed` returns the failures.
 */

import type { DurableObject } from "cloudflare:workers";

import app, { Consumer as SoundConsumer, Journal as SoundJournal } from "../../worker/entry.ts";

export { Aggregate } from "../../worker/entry.ts";

type Constructed<T> = new (context: DurableObjectState, env: Cloudflare.Env) => DurableObject & T;
type ConsumerClass = Constructed<{ wake(request: unknown): unknown }>;

const failed = new Set<string>();

/** Whether this call must fail. It fails once. */
function fails(env: Cloudflare.Env, what: string, wanted: string): boolean {
  const does = (env as Record<string, unknown>)["FAILS"] === wanted && !failed.has(what);
  if (does) failed.add(what);
  return does;
}

/** Makes a method of a platform's object fail if `isToFail` returns true. */
function spoil(object: any, method: string, isToFail: (argument: unknown) => boolean): void {
  const sound = object[method];
  const value = (...values: unknown[]) => {
    if (isToFail(values[0])) throw new Error(`${method} fails`);
    return sound.apply(object, values);
  };
  Object.defineProperty(object, method, { value });
}

/** The spoiled objects. JavaScript must not collect them, because a collected object loses its fault. */
const spoiled: unknown[] = [];

export class Journal extends (SoundJournal as Constructed<object>) {
  constructor(context: DurableObjectState, env: Cloudflare.Env) {
    const { storage } = context;
    const { sql } = storage;
    spoil(sql, "exec", (statement) => {
      return statement === "SELECT name FROM consumers_v1" && fails(env, "exec", "read");
    });
    spoil(storage, "setAlarm", () => fails(env, "setAlarm", "alarm"));
    spoiled.push(storage, sql);
    super(context, env);
  }
}

export class Consumer extends (SoundConsumer as ConsumerClass) {
  override wake(request: unknown): unknown {
    if (fails(this.env, "wake", "alarm"))
      throw Object.assign(new Error("not now"), { retryable: true });
    return super.wake(request);
  }
}

export default {
  fetch(request: Request, env: any, context: object): Response | Promise<Response> {
    if (new URL(request.url).pathname === "/failed") return Response.json([...failed]);
    return app.fetch(request, env, context);
  },
};
