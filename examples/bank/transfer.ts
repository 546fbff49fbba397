/** A transfer between two accounts: a process. It ends completed, failed or refunded, whatever dies on the way. */

import { cancel, process, reject, schedule, send } from "sillok";
import * as z from "zod";
import { account } from "./account.ts";

/** A transfer that was not debited within this time lapses, in milliseconds. */
const LAPSE = 60_000;

const stream = z.string().startsWith("account-").min(9);
const order = z.object({ from: stream, to: stream, cents: z.int().positive() });
const none = z.object({});

type Status = "new" | "requested" | "debited" | "completed" | "failed" | "refunded";
type Order = z.infer<typeof order>;

export const transfer = process("transfer", {
  events: {
    Requested: order,
    Debited: none,
    Completed: none,
    Failed: z.object({ reason: z.string() }),
    Lapsed: none,
    Refunded: none,
  },
  commands: { Request: order, Lapse: none },
  initialState: () => ({
    status: "new" as Status,
    order: null as Order | null,
    reason: null as string | null,
  }),
  evolve: {
    Requested: (state, order) => ({ ...state, status: "requested", order }),
    Debited: (state) => ({ ...state, status: "debited" }),
    Completed: (state) => ({ ...state, status: "completed" }),
    Failed: (state, { reason }) => ({ ...state, status: "failed", reason }),
    Lapsed: (state) => ({ ...state, reason: "lapsed" }),
    Refunded: (state) => ({ ...state, status: "refunded" }),
  },
  decide: {
    Request(order, state, { now }) {
      if (state.order !== null) return same(state.order, order) ? [] : reject("already_requested");
      return [
        { type: "Requested", data: order },
        send("debit", account, idOf(order.from), {
          type: "Withdraw",
          data: { cents: order.cents },
        }),
        schedule("lapse", now + LAPSE, { type: "Lapse", data: {} }),
      ];
    },
    // The debit may still succeed: then the money goes back.
    Lapse: () => ({ type: "Lapsed", data: {} }),
  },
  answered: {
    debit(answer, { order, reason }) {
      if (!answer.accepted) return { type: "Failed", data: { reason: answer.rejection.code } };
      if (order === null) return [];
      const debited = { type: "Debited", data: {} } as const;
      const deposit = { type: "Deposit", data: { cents: order.cents } } as const;
      if (reason === "lapsed") return [debited, send("refund", account, idOf(order.from), deposit)];
      return [debited, cancel("lapse"), send("credit", account, idOf(order.to), deposit)];
    },
    credit(answer, { order }) {
      if (answer.accepted || order === null) return { type: "Completed", data: {} };
      const deposit = { type: "Deposit", data: { cents: order.cents } } as const;
      return send("refund", account, idOf(order.from), deposit);
    },
    refund: () => ({ type: "Refunded", data: {} }),
  },
  ended: ({ status }) => status === "completed" || status === "failed" || status === "refunded",
});

function idOf(stream: string): string {
  return stream.slice("account-".length);
}

function same(one: Order, other: Order): boolean {
  return one.from === other.from && one.to === other.to && one.cents === other.cents;
}
