/** A Worker whose two aggregates have the same name. */

import { aggregate, sillok } from "../../../worker/index.ts";

const counter = aggregate("counter", {
  initialState: () => 0,
  decide: () => [],
  evolve: (state: number) => state,
});
const app = sillok({ aggregates: [counter, counter] });

export class Aggregate extends app.objects.Aggregate {}
export class Journal extends app.objects.Journal {}
export class Consumer extends app.objects.Consumer {}
export default app;
