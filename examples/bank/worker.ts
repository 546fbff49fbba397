/** A bank: Sillok with an aggregate, a process and a projection. */

import { sillok } from "sillok/worker";
import { account } from "./account.ts";
import { balances } from "./balances.ts";
import { transfer } from "./transfer.ts";

const app = sillok({ aggregates: [account], processes: [transfer], projections: [balances] });

export type App = typeof app;
export const { Aggregate, Journal, Consumer } = app.objects;
export default app;
