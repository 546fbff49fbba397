/** A Worker in which one consumer is a projection, a reactor or absent, as the variable `KIND` says. */

import { env } from "cloudflare:workers";

import { projection, reactor, sillok } from "../../worker/index.ts";

/** The kind of `name` in this deployment. */
const kind = (env as { KIND?: string }).KIND;

/** Whether each stream was seen. This consumer is the same in every deployment. */
const beside = projection<{ type: string }, boolean>("beside", {
  on: ({ stream }, documents) => documents.put(stream, true),
});

const counts = projection<{ type: string }, number>("changing", {
  category: "change",
  on: ({ stream }, documents) => documents.put(stream, (documents.get(stream) ?? 0) + 1),
});

const echoes = reactor<{ type: string }>("changing", {
  category: "change",
  on: async ({ stream }, { append }) => {
    await append(stream.replace("change", "echo"), { type: "Echoed" });
  },
});

const app = sillok({
  projections: kind === "projection" ? [beside, counts] : [beside],
  reactors: kind === "reactor" ? [echoes] : [],
});

export class Aggregate extends app.objects.Aggregate {}
export class Journal extends app.objects.Journal {}
export class Consumer extends app.objects.Consumer {}

export default app;
