/** A Worker whose two aggregates have the same name. */

import { aggregate, sillok } from "../../../worker/index.ts";

const counter = aggregate("counter", {
  initialState: () => 0,
  decide: () => [],
  evolve: (state: number) => state,
});
const app = sillok({ aggregates: [counter, counter] });

export const { Aggregate, Journal, Consumer } = app.objects;
export default app;
