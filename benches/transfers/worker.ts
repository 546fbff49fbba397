// The bank of the example, without its projection. It counts the rows of all statements of its objects, as the runtime bills them,
// and the calls of its objects. Nothing else shows the work that no request pays for. `/counts` returns the sums.
import type { DurableObject } from "cloudflare:workers";

import { account } from "../../examples/bank/account.ts";
import { transfer } from "../../examples/bank/transfer.ts";
import { sillok } from "../../worker/index.ts";

const app = sillok({ aggregates: [account], processes: [transfer] });

type ObjectOf = new (context: DurableObjectState, env: Cloudflare.Env) => DurableObject;

const counts = { written: 0, read: 0, alarmsSet: 0, calls: {} as Record<string, number> };
/** A cursor knows its rows after the last one was read. */
let cursors: SqlStorageCursor<any>[] = [];
/** JavaScript must not collect the storages, because a collected storage loses its counter. */
const counted: unknown[] = [];

/** A class whose objects count. */
function counting(sound: unknown, name: string): ObjectOf {
  const Counting = class extends (sound as ObjectOf) {
    constructor(context: DurableObjectState, env: Cloudflare.Env) {
      count(context.storage);
      super(context, env);
    }
  };
  for (const method of Object.getOwnPropertyNames((sound as ObjectOf).prototype)) {
    const call = (sound as ObjectOf).prototype[method as "alarm"];
    if (method === "constructor" || typeof call !== "function") continue;
    Object.defineProperty(Counting.prototype, method, {
      value(this: DurableObject, ...values: []) {
        const place = `${name}.${method}`;
        counts.calls[place] = (counts.calls[place] ?? 0) + 1;
        return call.apply(this, values);
      },
    });
  }
  return Counting;
}

function count(storage: DurableObjectStorage): void {
  const { sql } = storage;
  const [exec, setAlarm] = [sql.exec, storage.setAlarm];
  Object.defineProperty(sql, "exec", {
    value: (...values: [string]) => {
      const cursor = exec.apply(sql, values);
      // The local runtime stores the names of its objects. Cloudflare does not.
      if (!values[0].includes("__miniflare")) cursors.push(cursor);
      return cursor;
    },
  });
  Object.defineProperty(storage, "setAlarm", {
    value: (...values: [number]) => {
      counts.alarmsSet += 1;
      return setAlarm.apply(storage, values);
    },
  });
  counted.push(storage, sql);
}

export const Aggregate = counting(app.objects.Aggregate, "stream");
export const Journal = counting(app.objects.Journal, "journal");
export class Consumer extends app.objects.Consumer {}

export default {
  fetch(request: Request, env: unknown, context: object): Response | Promise<Response> {
    if (new URL(request.url).pathname !== "/counts") return app.fetch(request, env, context);
    for (const { rowsWritten, rowsRead } of cursors) {
      counts.written += rowsWritten;
      counts.read += rowsRead;
    }
    cursors = [];
    return Response.json(counts);
  },
};
