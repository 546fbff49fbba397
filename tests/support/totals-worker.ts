/** A Worker of your own with an aggregate, and a reactor that sends it commands. */

import { aggregate, reactor, reject, sillok } from "../../worker/index.ts";
import { totalsOf } from "./totals.ts";

// The Worker's sources have types of their own, which are the same as those of the built package.
const own = { aggregate, reactor, reject } as unknown as Parameters<typeof totalsOf>[0];
const { tally, totals } = totalsOf(own);
const app = sillok({ aggregates: [tally], reactors: [totals] });

export const { Aggregate, Journal, Consumer } = app.objects;
export default app;
