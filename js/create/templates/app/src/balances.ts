/** The owner and the balance of every account, as documents. You can list them. */

import { type EventOf, projection } from "sillok";
import { account } from "./account.ts";

interface Balance {
  owner: string;
  cents: number;
}

export const balances = projection<EventOf<typeof account>, Balance>("balances", {
  category: "account",
  events: account.events,
  on: {
    Opened: ({ stream, data }, documents) => documents.put(stream, { ...data, cents: 0 }),
    Deposited({ stream, data }, documents) {
      const balance = documents.get(stream)!;
      documents.put(stream, { ...balance, cents: balance.cents + data.cents });
    },
    Withdrawn({ stream, data }, documents) {
      const balance = documents.get(stream)!;
      documents.put(stream, { ...balance, cents: balance.cents - data.cents });
    },
  },
});
