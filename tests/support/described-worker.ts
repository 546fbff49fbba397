/** A Worker that can answer every request of the description of the HTTP interface. */

import { z } from "zod";

import { account } from "../../examples/bank/account.ts";
import { balances } from "../../examples/bank/balances.ts";
import { aggregate, process, schedule, send, sillok } from "../../worker/index.ts";

const text = z.object({ text: z.string() });

/** Another account than the deployed one, with a command that the deployed one does not know. */
const other = aggregate<{ type: "Closed" }, { type: "Close" }, null, never, "account">("account", {
  initialState: () => null,
  evolve: () => null,
  decide: () => ({ type: "Closed" }),
});

/** A process whose timer and whose commands are parked at once, because they can never succeed. */
const order = process("order", {
  events: { Placed: text, Told: z.null() },
  commands: { Place: text, Remind: text },
  initialState: () => null,
  evolve: { Placed: () => null, Told: () => null },
  decide: {
    Place: (data, _, { now }) => [
      { type: "Placed", data },
      schedule("remind", now, { type: "Remind", data: 5 } as never),
      ...["one", "two"].map((id) => send("close", other, id, { type: "Close" })),
    ],
    Remind: () => [],
  },
  answered: { close: () => ({ type: "Told", data: null }) },
});

const app = sillok({ aggregates: [account], processes: [order], projections: [balances] });

export const { Aggregate, Journal, Consumer } = app.objects;
export default app;
