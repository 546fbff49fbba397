/** A bank in a SQLite file: the rules of an account, and the balances of all accounts. */

import {
  aggregate,
  type Documents,
  EventGateway,
  type EventOf,
  EventStore,
  projection,
  reject,
} from "sillok";
import * as z from "zod";

const amount = z.object({ cents: z.int().positive() });

/** The rules of an account. A command is decided by the state, and its events are stored. */
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

interface Balance {
  owner: string;
  cents: number;
}

/** The owner and the balance of every account, as documents. */
export const balances = projection<EventOf<typeof account>, Balance>("balances", {
  category: "account",
  events: account.events,
  on: {
    Opened: ({ stream, data }, documents) => documents.put(stream, { ...data, cents: 0 }),
    Deposited: ({ stream, data }, documents) => add(data.cents, documents, stream),
    Withdrawn: ({ stream, data }, documents) => add(-data.cents, documents, stream),
  },
});

/** Adds to a balance. An account is opened before all else, so its document exists. */
function add(cents: number, documents: Documents<Balance>, stream: string): void {
  const balance = documents.get(stream)!;
  documents.put(stream, { ...balance, cents: balance.cents + cents });
}

/** Deposits a hundred cents, and prints all balances. Each run finds the events of the runs before it. */
async function main(): Promise<void> {
  const store = EventStore.open("bank.db");
  const gateway = new EventGateway(store).register(account, balances);
  await store.execute("account-42", { type: "Open", data: { owner: "Ada" } }, account);
  await store.execute("account-42", { type: "Deposit", data: { cents: 100 } }, account);
  await gateway.catchUp();
  for await (const { key, document } of gateway.projection(balances).documents()) {
    console.log(key, document);
  }
  store.close();
}

// A test imports this file too, and does not run the program.
if (process.argv[1] === import.meta.filename) await main();
