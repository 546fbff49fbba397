/** A Worker of your own: Sillok with projections and reactors. At `/crash` its engine crashes. */

import { projection, reactor, sillok } from "../../worker/index.ts";

type Counted = { type: "Counted"; data: { n: number } };

/** The sum and the number of each stream's counts. An event that counts 13 fails. */
const sums = projection<Counted, { sum: number; events: number }>("sums", {
  category: "count",
  attempts: 2,
  firstDelay: 10,
  longestDelay: 10,
  on: {
    Counted({ stream, data }, documents) {
      const { sum, events } = documents.get(stream) ?? { sum: 0, events: 0 };
      documents.put(stream, { sum: sum + data.n, events: events + 1 });
      if (data.n === 13) throw new RangeError("13 is not counted");
    },
  },
});

/** A reactor that notes each count in a stream of another category. Its first attempt fails after the append. */
const notes = reactor<Counted>("notes", {
  category: "count",
  firstDelay: 10,
  on: {
    async Counted({ stream, data }, { append, attempt }) {
      await append(stream.replace("count", "note"), {
        type: "Noted",
        data: { n: data.n, at: Math.random() },
      });
      if (attempt === 1) throw new Error("it fails after it has appended");
    },
  },
});

const app = sillok({ projections: [sums], reactors: [notes] });

export class Aggregate extends app.objects.Aggregate {}
export class Journal extends app.objects.Journal {}
export class Consumer extends app.objects.Consumer {}

export default {
  fetch(request: Request, env: unknown, context: object): Response | Promise<Response> {
    if (new URL(request.url).pathname !== "/crash") return app.fetch(request, env, context);
    // The same as an engine without memory: the crate starts a new engine before the next call.
    const error = new WebAssembly.RuntimeError("unreachable");
    (globalThis as EventTarget).dispatchEvent(new ErrorEvent("error", { error }));
    return new Response();
  },
};
