/** The rules of an account. This file needs no platform: it runs in a page, in Node and in a Worker. */

import { aggregate, reject } from "sillok";
import * as z from "zod";

const amount = z.object({ cents: z.int().positive() });

export const account = aggregate("account", {
  events: { Opened: z.object({ owner: z.string() }), Deposited: amount, Withdrawn: amount },
  commands: { Open: z.object({ owner: z.string().min(1) }), Deposit: amount, Withdraw: amount },
  initialState: () => ({ owner: null as string | null, cents: 0 }),
  evolve: {
    Opened: (state, { owner }) => ({ ...state, owner }),
    Deposited: (state, { cents }) => ({ ...state, cents: state.cents + cents }),
    Withdrawn: (state, { cents }) => ({ ...state, cents: state.cents - cents }),
  },
  decide: {
    Open({ owner }, state) {
      if (state.owner === owner) return [];
      return state.owner === null ? { type: "Opened", data: { owner } } : reject("already_open");
    },
    Deposit({ cents }, state) {
      return state.owner === null ? reject("not_open") : { type: "Deposited", data: { cents } };
    },
    Withdraw({ cents }, state) {
      if (state.owner === null) return reject("not_open");
      const missing = cents - state.cents;
      if (missing > 0) return reject("insufficient_funds", { missing });
      return { type: "Withdrawn", data: { cents } };
    },
  },
});
