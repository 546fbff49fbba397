// Aggregates for the tests, with schemas of each library.

import { type } from "arktype";
import * as v from "valibot";
import { z } from "zod";

import type { StandardSchema } from "sillok";
import type { Sillok } from "./behaviour.ts";

/** An account, with schemas of zod. Old deposits had an amount of whole units, and before that a text. */
export function zodAccount({ aggregate, reject }: Pick<Sillok, "aggregate" | "reject">) {
  return aggregate("account", {
    events: {
      Opened: z.object({ owner: z.string() }),
      Deposited: {
        schema: z.object({ cents: z.int() }),
        upcasts: [
          (v1: { text: string }) => ({ amount: Number(v1.text) }),
          (v2: { amount: number }) => ({ cents: v2.amount * 100 }),
        ],
      },
      Withdrawn: z.object({ cents: z.int() }),
      Closed: z.null(),
    },
    commands: {
      Open: z.object({ owner: z.string().default("nobody") }),
      Deposit: z.object({ cents: z.int().positive() }),
      Withdraw: z.object({ cents: z.int().positive() }),
      Close: z.null(),
    },
    initialState: () => ({ owner: null as string | null, cents: 0 }),
    evolve: {
      Opened: (state, { owner }) => ({ ...state, owner }),
      Deposited: (state, { cents }) => ({ ...state, cents: state.cents + cents }),
      Withdrawn: (state, { cents }) => ({ ...state, cents: state.cents - cents }),
      Closed: () => ({ owner: null, cents: 0 }),
    },
    decide: {
      Open: ({ owner }, state) => (state.owner === null ? { type: "Opened", data: { owner } } : []),
      Deposit: ({ cents }) => [{ type: "Deposited", data: { cents } }],
      Withdraw({ cents }, state) {
        if (state.owner === null) return reject("not_open");
        const missing = cents - state.cents;
        if (missing > 0) return reject("insufficient_funds", { missing });
        return { type: "Withdrawn", data: { cents } };
      },
      Close(_, state, { now }) {
        if (state.cents > now) return reject("too_early");
        return [{ type: "Withdrawn", data: { cents: state.cents } }, { type: "Closed" }];
      },
    },
  });
}

/** The data of a deposit. */
interface Deposit {
  cents: number;
  note?: string | undefined;
}

/** A schema of each library for the same data. */
export const LIBRARIES: Readonly<Record<string, StandardSchema<Deposit>>> = {
  zod: z.object({ cents: z.int(), note: z.string().optional() }),
  valibot: v.object({ cents: v.pipe(v.number(), v.integer()), note: v.optional(v.string()) }),
  arktype: type({ cents: "number.integer", "note?": "string | undefined" }),
};

/** An account that has deposits only, with a schema of any library. */
export function depositsOnly(
  { aggregate }: Pick<Sillok, "aggregate">,
  schema: StandardSchema<Deposit>,
) {
  return aggregate("account", {
    events: { Deposited: schema },
    commands: { Deposit: schema },
    initialState: () => ({ cents: 0 }),
    evolve: { Deposited: (state, { cents }) => ({ cents: state.cents + cents }) },
    decide: { Deposit: (data) => ({ type: "Deposited", data }) },
  });
}
