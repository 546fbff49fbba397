/**
 * A process before and after a change of its code. The old code reserves and then charges. The new code reserves, packs and
 * then charges, has another shape of `Ordered`, and lacks the command of an old timer and the function for an old answer.
 */

import { z } from "zod";

import { aggregate } from "../../js/ts/aggregate/aggregate.ts";
import { schedule, send } from "../../js/ts/aggregate/pending.ts";
import { process } from "../../js/ts/consumer/process.ts";

const HOUR = 60 * 60 * 1000;
const none = z.object({});

/** A helper of the process. Its name is the only thing that it does. Where it is broken, it throws. */
const helper = <Name extends string>(name: Name, isBroken: boolean) =>
  aggregate(name, {
    events: { Done: z.object({ what: z.string() }) },
    commands: { Do: z.object({ what: z.string() }) },
    initialState: () => ({ done: 0 }),
    evolve: { Done: ({ done }) => ({ done: done + 1 }) },
    decide: {
      Do(data) {
        if (isBroken) throw new Error(`${name} is broken`);
        return { type: "Done", data };
      },
    },
  });

const step = (what: string) => ({ type: "Do" as const, data: { what } });

export function oldParcel() {
  const [stock, till, post] = [helper("stock", true), helper("till", false), helper("post", true)];
  const parcel = process("parcel", {
    events: { Ordered: z.object({ item: z.string() }), Reserved: none, Charged: none },
    commands: { Order: z.object({ item: z.string() }), Remind: none, Gone: none },
    initialState: () => ({ item: "", status: "new" }),
    evolve: {
      Ordered: (_, { item }) => ({ item, status: "ordered" }),
      Reserved: (state) => ({ ...state, status: "reserved" }),
      Charged: (state) => ({ ...state, status: "charged" }),
    },
    decide: {
      Order: (data, _, { now }) => [
        { type: "Ordered", data },
        send("reserve", stock, data.item, step("reserve")),
        send("tell", post, data.item, step("tell")),
        schedule("remind", now + HOUR, { type: "Remind", data: {} }),
        schedule("gone", now + HOUR, { type: "Gone", data: {} }),
      ],
      Remind: () => [],
      Gone: () => [],
    },
    answered: {
      reserve: (_, { item }) => [
        { type: "Reserved", data: {} },
        send("charge", till, item, step("charge")),
      ],
      charge: () => ({ type: "Charged", data: {} }),
      tell: () => ({ type: "Charged", data: {} }),
    },
  });
  return { stock, till, post, parcel };
}

export function newParcel() {
  const [stock, till, post] = [
    helper("stock", false),
    helper("till", false),
    helper("post", false),
  ];
  const parcel = process("parcel", {
    stateVersion: 2,
    events: {
      Ordered: {
        schema: z.object({ items: z.array(z.string()) }),
        upcasts: [({ item }: { item: string }) => ({ items: [item] })],
      },
      Reserved: none,
      Packed: none,
      Charged: none,
      Reminded: none,
    },
    commands: { Order: z.object({ items: z.array(z.string()) }), Remind: none },
    initialState: () => ({ items: [] as string[], steps: [] as string[] }),
    evolve: {
      Ordered: (state, { items }) => ({ ...state, items }),
      Reserved: (state) => ({ ...state, steps: [...state.steps, "reserved"] }),
      Packed: (state) => ({ ...state, steps: [...state.steps, "packed"] }),
      Charged: (state) => ({ ...state, steps: [...state.steps, "charged"] }),
      Reminded: (state) => ({ ...state, steps: [...state.steps, "reminded"] }),
    },
    decide: {
      Order: (data) => ({ type: "Ordered", data }),
      Remind: () => ({ type: "Reminded", data: {} }),
    },
    answered: {
      reserve: (_, { items }) => [
        { type: "Reserved", data: {} },
        send("pack", post, items[0]!, step("pack")),
      ],
      pack: (_, { items }) => [
        { type: "Packed", data: {} },
        send("charge", till, items[0]!, step("charge")),
      ],
      charge: () => ({ type: "Charged", data: {} }),
    },
    ended: ({ steps }) => steps.includes("charged"),
  });
  return { stock, till, post, parcel };
}
