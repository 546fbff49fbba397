/** A Worker in which a consumer of one name is a projection, a reactor or nothing, as the variable `KIND` says. */

import { env } from "cloudflare:workers";

import { projection, reactor, sillok } from "../../worker/index.ts";

/** The kind of `name` by this deployment. */
const kind = (env as { KIND?: string }).KIND;

/** Whether each stream was seen. Its name is free for it in every deployment. */
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

export const { Aggregate, Journal, Consumer } = app.objects;

export default app;
