/**
 * A Worker of your own with aggregates. Its own routes use the aggregates without the network. At `/crash` its
 * engine crashes.
 */

import { projection, reactor, sillok } from "../../worker/index.ts";
import { account, decided, price, tally } from "./bank.ts";
import { rogue, tolerant } from "./rogue.ts";

/** The cents of each account. */
const balances = projection("balances", {
  category: "account",
  events: account.events,
  on: {
    Deposited({ stream, data }, documents) {
      const { cents } = (documents.get(stream) as { cents: number } | undefined) ?? { cents: 0 };
      documents.put(stream, { cents: cents + data.cents });
    },
  },
});

/** It tallies each deposit, past the rules: a reactor may append to every category. */
const tallying = reactor("tallying", {
  category: "account",
  events: account.events,
  on: {
    async Withdrawn({ data }, { append }) {
      await append("account-fees", { type: "Deposited", data: { cents: data.cents } });
    },
  },
});

const app = sillok({
  aggregates: [account, tally, price, rogue, tolerant],
  projections: [balances],
  reactors: [tallying],
});

export class Aggregate extends app.objects.Aggregate {}
export class Journal extends app.objects.Journal {}
export class Consumer extends app.objects.Consumer {}

export default {
  async fetch(request: Request, env: unknown, context: object): Promise<Response> {
    const { pathname, searchParams } = new URL(request.url);
    if (pathname === "/decided") return Response.json(decided.count);
    if (pathname === "/crash") return crash();
    if (!pathname.startsWith("/own/")) return app.fetch(request, env, context);
    const tenant = searchParams.get("tenant") ?? undefined;
    const own = app.connect(env, { tenant });
    const mine = own.aggregate("account", pathname.slice("/own/".length));
    const { version } = await mine.execute({ type: "Deposit", data: { cents: 50 } });
    const { state } = await mine.state();
    const min = { stream: mine.stream, version };
    const document = await own.documents(balances).get(mine.stream, { min });
    const events = [];
    for await (const { type } of own.store.read(mine.stream)) events.push(type);
    return Response.json({ version, cents: state.cents, document, events });
  },
};

/** The same as an engine without memory: the crate starts a new engine before the next call. */
function crash(): Response {
  const error = new WebAssembly.RuntimeError("unreachable");
  (globalThis as EventTarget).dispatchEvent(new ErrorEvent("error", { error }));
  return new Response();
}
