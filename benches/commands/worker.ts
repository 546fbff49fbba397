// The bank of the example, without its projection: nothing else than its commands is measured.
import { account } from "../../examples/bank/account.ts";
import { sillok } from "../../worker/index.ts";

const app = sillok({ aggregates: [account] });

export class Aggregate extends app.objects.Aggregate {}
export class Journal extends app.objects.Journal {}
export class Consumer extends app.objects.Consumer {}
export default app;
