// An aggregate in TypeScript of a category that Rust has too.
import { aggregate, sillok } from "../../worker/rust.ts";
import * as engine from "./build/index.js";

const tally = aggregate("tally", {
  initialState: () => 0,
  evolve: (state) => state,
  decide: () => [],
});
const app = sillok(engine, { aggregates: [tally] });

export class Aggregate extends app.objects.Aggregate {}
export class Journal extends app.objects.Journal {}
export class Consumer extends app.objects.Consumer {}
export default app;
