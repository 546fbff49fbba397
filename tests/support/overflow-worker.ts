/** A Worker whose handlers overflow the stack, each in another place, and one beside them that does not. */

import { projection, reactor, sillok } from "../../worker/index.ts";

type Counted = { type: "Counted" | "Overflow"; data: { n: number } };

const policy = { category: "count", attempts: 2, firstDelay: 10, longestDelay: 10 } as const;

function forever(work: (count: number) => void, count = 0): number {
  work(count);
  return forever(work, count + 1) + 1;
}

/** Overflows within the engine, if it can. */
const counts = projection<Counted, number>("counts", {
  ...policy,
  on({ stream, type }, documents) {
    documents.put(stream, (documents.get(stream) ?? 0) + 1);
    if (type === "Overflow") forever((count) => documents.delete(`key-${count}`));
  },
});

/** Overflows on its own. */
const plain = projection<Counted, number>("plain", {
  ...policy,
  on({ type }) {
    if (type === "Overflow") forever(() => {});
  },
});

/** Overflows on its own after it has waited. */
const late = reactor<Counted>("late", {
  ...policy,
  async on({ type }) {
    await Promise.resolve();
    if (type === "Overflow") forever(() => {});
  },
});

const beside = reactor<Counted>("beside", {
  ...policy,
  on: ({ stream, data }, { append }) =>
    append(stream.replace("count", "echo"), { type: "Echo", data }),
});

const app = sillok({ projections: [counts, plain], reactors: [late, beside] });

export const { Aggregate, Journal, Consumer } = app.objects;

export default app;
