/** A Worker of your own with an aggregate, and a reactor that sends it commands. */

import { aggregate, reactor, reject, sillok } from "../../worker/index.ts";
import { totalsOf } from "./totals.ts";

// The sources have types of their own, which are the same as those of the built package.
const own = { aggregate, reactor, reject, sillok } as unknown as typeof import("sillok/worker");
const { tally, totals } = totalsOf(own);
const app = own.sillok({ aggregates: [tally], reactors: [totals] });

export class Aggregate extends app.objects.Aggregate {}
export class Journal extends app.objects.Journal {}
export class Consumer extends app.objects.Consumer {}
export default app;
