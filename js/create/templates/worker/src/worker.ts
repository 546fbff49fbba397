/** The Worker: Sillok with an aggregate and a projection. */

import { sillok } from "sillok/worker";
import { account } from "./account.ts";
import { balances } from "./balances.ts";

const app = sillok({ aggregates: [account], projections: [balances] });

export type App = typeof app;
export const { Aggregate, Journal, Consumer } = app.objects;
export default app;
