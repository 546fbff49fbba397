/** A bank: Sillok with an aggregate, a process, projections and a reactor, and routes of its own. */

import { Hono } from "hono";
import { isSillokError } from "sillok";
import { sillok } from "sillok/worker";
import { account } from "./account.ts";
import { balances } from "./balances.ts";
import { type Env, movements, statement } from "./statement.ts";
import { transfer } from "./transfer.ts";
import { transfers } from "./transfers.ts";

const app = sillok({
  aggregates: [account],
  processes: [transfer],
  projections: [balances, transfers],
  reactors: [statement],
});

export type App = typeof app;
export class Aggregate extends app.objects.Aggregate {}
export class Journal extends app.objects.Journal {}
export class Consumer extends app.objects.Consumer {}

const routes = new Hono<{ Bindings: Env }>();

/** The movements of an account, the newest first. `?before=7` begins below the version 7. */
routes.get("/statement/:account", async (context) => {
  const before = context.req.query("before");
  if (before !== undefined && !/^\d{1,15}$/.test(before)) {
    return context.json({ code: "invalid_request", field: "before" }, 400);
  }
  const { account } = context.req.param();
  const page = await movements(
    context.env,
    account,
    before === undefined ? before : Number(before),
  );
  return context.json({ account, ...page });
});

/** Requests a transfer. `id` names it: with the same `id`, you can send the request again. */
routes.post("/transfers", async (context) => {
  const { id = crypto.randomUUID(), ...order } = await bodyOf(context.req.raw);
  if (typeof id !== "string") return context.json({ code: "invalid_request", field: "id" }, 400);
  const request = app.connect(context.env).aggregate("transfer", id);
  // Without a correlation id, the id of the command is that of all events of the transfer. It is the same for all transfers.
  const metadata = { correlationId: request.stream };
  const command = { type: "Request", data: order as never, metadata } as const;
  await request.execute(command, { commandId: "request" });
  return context.json({ transfer: request.stream }, 202);
});

/** Everything else is Sillok's. */
routes.all("*", ({ req, env, executionCtx }) => app.fetch(req.raw, env, executionCtx));

/** The status of an error of the caller, by its code. */
const STATUS: Readonly<Record<string, 400 | 409>> = {
  invalid_command: 400,
  invalid_stream_id: 400,
  invalid_request: 400,
  command_rejected: 409,
  idempotency_key_reused: 409,
};

routes.onError((error, context) => {
  const status = isSillokError(error) ? STATUS[error.code] : undefined;
  if (!isSillokError(error) || status === undefined) throw error;
  const { code, field, rejection } = error as typeof error & { rejection?: { code: string } };
  return context.json({ code: rejection?.code ?? code, field }, status);
});

/** The members of a JSON object; none, if the body is no object. */
async function bodyOf(request: Request): Promise<Record<string, unknown>> {
  const body: unknown = await request.json().catch(() => null);
  return typeof body === "object" && body !== null ? { ...body } : {};
}

export default routes;
