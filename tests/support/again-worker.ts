/** A Worker of your own with a reactor that acts as its events say. */

import { aggregate, reactor, reject, sillok } from "../../worker/index.ts";
import { actingOf } from "./again.ts";

// The Worker's sources have types of their own, which are the same as those of the built package.
const own = { aggregate, reactor, reject } as unknown as Parameters<typeof actingOf>[0];
const { tally, acting } = actingOf(own);
const app = sillok({ aggregates: [tally], reactors: [acting] });

export const { Aggregate, Journal, Consumer } = app.objects;
export default app;
