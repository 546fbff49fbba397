/** A Worker of your own whose reactor begins after the second event of the feed. */

import { reactor, sillok } from "../../worker/index.ts";

type Counted = { type: "Counted"; data: { n: number } };

const late = reactor<Counted>("late", {
  after: "2",
  on: {
    async Counted({ data }, { append }) {
      await append("noted-late", { type: "Noted", data });
    },
  },
});

const app = sillok({ reactors: [late] });

export class Aggregate extends app.objects.Aggregate {}
export class Journal extends app.objects.Journal {}
export class Consumer extends app.objects.Consumer {}
export default app;
