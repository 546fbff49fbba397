/**
 * A Worker of your own with timers. The variable `EARLY` makes each alarm of a stream ring so many milliseconds before its time,
 * once for each time. `/alarms` returns the number of these rings.
 */

import type { DurableObject } from "cloudflare:workers";

import { sillok } from "../../worker/index.ts";
import { bell } from "./bell.ts";

const app = sillok({ aggregates: [bell] });
type Bells = new (context: DurableObjectState, env: Cloudflare.Env) => DurableObject;

/** The storages that set alarms early. JavaScript must not collect them, because a collected storage loses its fault. */
const early: unknown[] = [];
const moved = new Set<string>();

export class Aggregate extends (app.objects.Aggregate as unknown as Bells) {
  constructor(context: DurableObjectState, env: Cloudflare.Env) {
    const millis = Number((env as Record<string, unknown>)["EARLY"] ?? 0);
    const { storage } = context;
    if (millis > 0) {
      const value = (at: number | Date) =>
        setEarly(storage, context.id.name ?? "", Number(at), millis);
      Object.defineProperty(storage, "setAlarm", { value });
      early.push(storage);
    }
    super(context, env);
  }
}

const setAlarm = (storage: DurableObjectStorage, at: number): Promise<void> =>
  (Object.getPrototypeOf(storage) as DurableObjectStorage).setAlarm.call(storage, at);

function setEarly(storage: DurableObjectStorage, name: string, at: number, by: number) {
  const place = `${name}@${at}`;
  if (moved.has(place)) return setAlarm(storage, at);
  moved.add(place);
  return setAlarm(storage, at - by);
}

export class Journal extends app.objects.Journal {}
export class Consumer extends app.objects.Consumer {}

export default {
  fetch(request: Request, env: unknown, context: object): Response | Promise<Response> {
    if (new URL(request.url).pathname === "/alarms") return Response.json([...moved]);
    return app.fetch(request, env, context);
  },
};
