/** A Worker of your own with a reactor that acts as its events say. */

import { aggregate, reactor, reject, sillok } from "../../worker/index.ts";
import { actingOf } from "./again.ts";

// The sources have types of their own, which are the same as those of the built package.
const own = { aggregate, reactor, reject, sillok } as unknown as typeof import("sillok/worker");
const { tally, acting } = actingOf(own);
const app = own.sillok({ aggregates: [tally], reactors: [acting] });

export class Aggregate extends app.objects.Aggregate {}
export class Journal extends app.objects.Journal {}
export class Consumer extends app.objects.Consumer {}
export default app;
