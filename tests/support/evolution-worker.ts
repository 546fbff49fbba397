/** A Worker of your own whose events have had three shapes: a text, an amount in whole units, and now cents. */

import { z } from "zod";

import { aggregate, projection, reactor, sillok } from "../../worker/index.ts";

const cents = z.object({ cents: z.int() });

const evolving = <const Name extends string>(name: Name) =>
  aggregate(name, {
    events: {
      Saved: {
        schema: cents,
        upcasts: [
          ({ text }: { text: string }) => ({ amount: Number(text) }),
          ({ amount }: { amount: number }) => ({ cents: amount * 100 }),
        ],
      },
      Lost: {
        schema: cents,
        upcasts: [
          () => {
            throw new RangeError("a secret of the upcast");
          },
        ],
      },
    },
    commands: { Save: cents },
    unknownEvents: "skip",
    initialState: () => ({ cents: 0 }),
    evolve: {
      Saved: (state, data) => ({ cents: state.cents + data.cents }),
      Lost: (state) => state,
    },
    decide: { Save: (data) => ({ type: "Saved", data }) },
  });

const savings = evolving("savings");
/** Its stored events are of newer code, or cannot be upcast. */
const vault = evolving("vault");

/** The data of each event, as the handler has seen them. */
const saved = projection("saved", {
  category: "savings",
  events: savings.events,
  on: {
    Saved: ({ version, schemaVersion, data }, documents) =>
      documents.put(`${version}`, { schemaVersion, data }),
  },
});

/** Notes the data of each event. */
const noting = reactor("noting", {
  category: "savings",
  events: savings.events,
  on: {
    async Saved({ stream, data }, { append }) {
      await append(`notes-${stream}`, { type: "Noted", data });
    },
  },
});

const locked = projection("locked", {
  category: "vault",
  events: vault.events,
  attempts: 1,
  on: { Saved: ({ version, data }, documents) => documents.put(`${version}`, data) },
});

const app = sillok({
  aggregates: [savings, vault],
  projections: [saved, locked],
  reactors: [noting],
});

export class Aggregate extends app.objects.Aggregate {}
export class Journal extends app.objects.Journal {}
export class Consumer extends app.objects.Consumer {}
export default app;
