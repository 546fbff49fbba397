/** A Worker whose handlers fail, and which notes what `onFailure` hears. */

import { aggregate, projection, reactor, schedule, sillok } from "../../worker/index.ts";

const failures: object[] = [];
let isBroken = false;

const SLOWLY = { firstDelay: 3_600_000, longestDelay: 3_600_000 };

const counts = projection<{ type: "Opened" | "Poison" }, number>("counts", {
  category: "count",
  attempts: 2,
  firstDelay: 10,
  on: ({ type, stream }, documents) => {
    if (type === "Poison") throwPoison();
    documents.put(stream, (documents.get(stream) ?? 0) + 1);
  },
});

const sums = projection<{ type: "Added" }, number>("sums", {
  category: "sum",
  ...SLOWLY,
  on: ({ stream }, documents) => {
    if (isBroken) throw new Error("the projection is broken");
    documents.put(stream, (documents.get(stream) ?? 0) + 1);
  },
});

function throwPoison(): never {
  throw new TypeError("poison", { cause: new Error("the cause of it") });
}

const mailer = reactor("mailer", {
  category: "letter",
  ...SLOWLY,
  on: () => Promise.reject(new Error("no post today")),
});
const texts = reactor("texts", {
  category: "text",
  attempts: 1,
  on: () => {
    throw "only a text";
  },
});

const clock = aggregate<{ type: "Rung" }, { type: "Set" | "Ring" }, null>("clock", {
  initialState: () => null,
  evolve: () => null,
  decide: ({ type }, _, { now }) => {
    if (type === "Set") return schedule("ring", now, { type: "Ring" });
    throw new Error("it does not ring");
  },
});

const app = sillok({
  aggregates: [clock],
  projections: [counts, sums],
  reactors: [mailer, texts],
  onFailure({ error, ...failure }, env: { GREETING: string }) {
    const cause = error.cause instanceof Error ? error.cause.message : error.cause;
    const isType = error instanceof TypeError;
    failures.push({ ...failure, error: error.message, cause, isType, greeting: env.GREETING });
    throw new Error("the listener has failed too");
  },
  fetch({ url }) {
    if (url.endsWith("/break")) isBroken = true;
    return Response.json(failures);
  },
});

export const { Aggregate, Journal, Consumer } = app.objects;

export default app;
