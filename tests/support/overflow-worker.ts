/** A Worker whose handlers overflow the stack, each at another place, and a consumer that does not overflow it. */

import { projection, reactor, sillok } from "../../worker/index.ts";

type Counted = { type: "Counted" | "Overflow"; data: { n: number } };

const policy = { category: "count", attempts: 2, firstDelay: 10, longestDelay: 10 } as const;

function forever(work: (count: number) => void, count = 0): number {
  work(count);
  return forever(work, count + 1) + 1;
}

/** Overflows within the engine, if possible. */
const counts = projection<Counted, number>("counts", {
  ...policy,
  on({ stream, type }, documents) {
    documents.put(stream, (documents.get(stream) ?? 0) + 1);
    if (type === "Overflow") forever((count) => documents.delete(`key-${count}`));
  },
});

/** Overflows in its own code. */
const plain = projection<Counted, number>("plain", {
  ...policy,
  on({ type }) {
    if (type === "Overflow") forever(() => {});
  },
});

/** Overflows in its own code after a wait. */
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

export class Aggregate extends app.objects.Aggregate {}
export class Journal extends app.objects.Journal {}
export class Consumer extends app.objects.Consumer {}

export default app;
