/** The Worker of the bank's app: the accounts and transfers of the bank, with documents for the page. */

import { sillok } from "sillok/worker";
import { account } from "../account.ts";
import { balances } from "../balances.ts";
import { transfer } from "../transfer.ts";
import { transfers } from "../transfers.ts";

const app = sillok({
  aggregates: [account],
  processes: [transfer],
  projections: [balances, transfers],
});

export type App = typeof app;
export class Aggregate extends app.objects.Aggregate {}
export class Journal extends app.objects.Journal {}
export class Consumer extends app.objects.Consumer {}
export default app;
