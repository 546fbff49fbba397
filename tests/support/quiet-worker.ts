/** A Worker whose own code appends under the keys of a request, and whose handlers succeed. */

import { projection, reactor, sillok } from "../../worker/index.ts";

/** The number of questions whether headers take any text: `wrangler dev` logs a line for each. */
let questions = 0;
class CountedHeaders extends Headers {
  constructor(init?: HeadersInit) {
    if (init !== undefined && "a" in init) questions += 1;
    super(init);
  }
}
Object.assign(globalThis, { Headers: CountedHeaders });

const counts = projection<{ type: "Counted" }, number>("counts", {
  category: "quiet",
  on: ({ stream }, documents) => documents.put(stream, (documents.get(stream) ?? 0) + 1),
});
const echo = reactor("echo", {
  category: "quiet",
  on: ({ stream }, { append }) => append(stream.replace("quiet", "echo"), { type: "Echoed" }),
});

const app = sillok({
  projections: [counts],
  reactors: [echo],
  async fetch(request, env) {
    const { stream, keys } = (await request.json()) as { stream: string; keys: string[] };
    const { store } = app.connect(env);
    for (const idempotencyKey of keys) {
      await store.append(stream, { type: "Counted" }, { idempotencyKey });
    }
    return Response.json(questions);
  },
});

export const { Aggregate, Journal, Consumer } = app.objects;

export default app;
