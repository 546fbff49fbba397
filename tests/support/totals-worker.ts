/** A Worker of your own with an aggregate, and a reactor that sends it commands. */

import { aggregate, reactor, reject, sillok } from "../../worker/index.ts";
import { totalsOf } from "./totals.ts";

const { tally, totals } = totalsOf({ aggregate, reactor, reject });
const app = sillok({ aggregates: [tally], reactors: [totals] });

export const { Aggregate, Journal, Consumer } = app.objects;
export default app;
