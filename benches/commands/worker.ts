// The bank of the example, without its projection: nothing else than its commands is measured.
import { account } from "../../examples/bank/account.ts";
import { sillok } from "../../worker/index.ts";

const app = sillok({ aggregates: [account] });

export const { Aggregate, Journal, Consumer } = app.objects;
export default app;
