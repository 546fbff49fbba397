/** Aggregates for tests of commands. The file imports nothing of a platform. */

import { z } from "zod";

import { aggregate } from "../../js/ts/aggregate/aggregate.ts";
import { reject } from "../../js/ts/aggregate/reject.ts";

const cents = z.object({ cents: z.int() });
/** How many commands the account has decided, in this program. */
export const decided = { count: 0 };

/** An account. `Deposited` had another shape once: an amount in whole units. */
export const account = aggregate("account", {
  events: {
    Opened: z.object({ owner: z.string() }),
    Deposited: {
      schema: cents,
      upcasts: [({ amount }: { amount: number }) => ({ cents: amount * 100 })],
    },
    Withdrawn: cents,
  },
  commands: { Open: z.object({ owner: z.string() }), Deposit: cents, Withdraw: cents },
  initialState: () => ({ owner: null as string | null, cents: 0 }),
  evolve: {
    Opened: (state, { owner }) => ({ ...state, owner }),
    Deposited: (state, data) => ({ ...state, cents: state.cents + data.cents }),
    Withdrawn: (state, data) => ({ ...state, cents: state.cents - data.cents }),
  },
  decide: {
    Open({ owner }, state) {
      decided.count += 1;
      if (state.owner === owner) return [];
      return state.owner === null ? { type: "Opened", data: { owner } } : reject("already_open");
    },
    Deposit(data) {
      decided.count += 1;
      return { type: "Deposited", data };
    },
    Withdraw(data, state) {
      decided.count += 1;
      const missing = data.cents - state.cents;
      return missing > 0 ? reject("insufficient_funds", { missing }) : { type: "Withdrawn", data };
    },
  },
});

/** A counter without schemas, to which everyone may append. It makes a snapshot of every ten events. */
export const tally = aggregate<
  { type: "Counted"; data: { n: number } },
  { type: "Count"; data: { n: number } },
  { sum: number },
  { code: "too_many" },
  "tally"
>("tally", {
  appends: "open",
  snapshotEvery: 10,
  initialState: () => ({ sum: 0 }),
  decide: ({ data }) => (data.n > 1000 ? reject("too_many") : { type: "Counted", data }),
  evolve: ({ sum }, { data }) => ({ sum: sum + data.n }),
});

/** A price that is looked up before the decision: another one at each look. */
let looks = 0;
export const price = aggregate("price", {
  events: { Priced: z.object({ cents: z.number() }) },
  commands: { Price: z.object({ cents: z.number() }) },
  initialState: () => ({ cents: 0 }),
  evolve: { Priced: (_, data) => data },
  decide: { Price: (data) => ({ type: "Priced", data }) },
  async prepare(command) {
    await Promise.resolve();
    looks += 1;
    if (command.data.cents < 0) throw new RangeError("there is no such price");
    return { ...command, data: { cents: command.data.cents + looks } };
  },
});

/** The types of the tests' Worker. */
export interface Bank {
  readonly "~aggregate"?: typeof account | typeof tally | typeof price;
}
