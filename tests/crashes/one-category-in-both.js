// An aggregate in TypeScript of a category that Rust has too.
import { aggregate, sillok } from "../../worker/rust.ts";
import * as engine from "./build/index.js";

const tally = aggregate("tally", {
  initialState: () => 0,
  evolve: (state) => state,
  decide: () => [],
});
const app = sillok(engine, { aggregates: [tally] });

export const { Aggregate, Journal, Consumer } = app.objects;
export default app;
