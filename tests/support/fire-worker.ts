/**
 * The bank of the example, whose code fails now and then: the variable `FAILURES` is the share of decisions that throw, of accounts
 * and of transfers. Each failure is another one, as of a service that is down for a while.
 */

import { env } from "cloudflare:workers";

import { account as soundAccount } from "../../examples/bank/account.ts";
import { transfer as soundTransfer } from "../../examples/bank/transfer.ts";
import { sillok } from "../../worker/index.ts";

const share = Number((env as unknown as Record<string, string>)["FAILURES"] ?? 0);

type Deciding = (...values: never[]) => unknown;

/** The same function, which throws now and then. */
function failing<F extends Deciding>(decide: F): F {
  const spoiled = (...values: never[]) => {
    if (Math.random() < share) throw new Error("the code fails for now");
    return decide(...values);
  };
  return spoiled as F;
}

const account: typeof soundAccount = Object.freeze({
  ...soundAccount,
  decide: failing(soundAccount.decide),
});
const answered = Object.entries(soundTransfer.answered).map(
  ([name, decide]) => [name, failing(decide)] as const,
);
const transfer: typeof soundTransfer = Object.freeze({
  ...soundTransfer,
  decide: failing(soundTransfer.decide),
  answered: Object.freeze(Object.fromEntries(answered)) as typeof soundTransfer.answered,
});

const app = sillok({ aggregates: [account], processes: [transfer] });

export class Aggregate extends app.objects.Aggregate {}
export class Journal extends app.objects.Journal {}
export class Consumer extends app.objects.Consumer {}
export default app;
