/** A Worker of your own with a reactor that reads streams, states and the environment. */

import { aggregate, reactor, sillok } from "../../worker/index.ts";
import { askingOf } from "./asking.ts";

// The sources have types of their own, which are the same as those of the built package.
const own = { aggregate, reactor, sillok } as unknown as typeof import("sillok/worker");
const { tally, asking } = askingOf(own);
const app = own.sillok({ aggregates: [tally], reactors: [asking] });

export class Aggregate extends app.objects.Aggregate {}
export class Journal extends app.objects.Journal {}
export class Consumer extends app.objects.Consumer {}
export default app;
