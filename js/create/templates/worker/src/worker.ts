/** The Worker: Sillok with an aggregate and a projection. */

import { sillok } from "sillok/worker";
import { account } from "./account.ts";
import { balances } from "./balances.ts";

const app = sillok({ aggregates: [account], projections: [balances] });

export type App = typeof app;
export class Aggregate extends app.objects.Aggregate {}
export class Journal extends app.objects.Journal {}
export class Consumer extends app.objects.Consumer {}
export default app;
