/** The Worker: Sillok with an aggregate and a projection, and a route of its own. Vite serves the page beside it. */

import { Hono } from "hono";
import { sillok } from "sillok/worker";
import { account } from "./account.ts";
import { balances } from "./balances.ts";

const app = sillok({ aggregates: [account], projections: [balances] });

export type App = typeof app;
export class Aggregate extends app.objects.Aggregate {}
export class Journal extends app.objects.Journal {}
export class Consumer extends app.objects.Consumer {}

const routes = new Hono<{ Bindings: object }>();

/** The sum of all balances. `app.connect` may do everything: check the caller, before a route says or changes more. */
routes.get("/api/total", async (context) => {
  let cents = 0;
  for await (const { document } of app.connect(context.env).documents(balances).list()) {
    cents += document.cents;
  }
  return context.json({ cents });
});

/** Sillok checks the token of each request. */
routes.all("/v1/*", ({ req, env, executionCtx }) => app.fetch(req.raw, env, executionCtx));

export default routes;
