/**
 * A transfer between two accounts: a process. It ends `completed`, `failed` or `refunded`.
 *
 * The debit comes first, and the credit after it. If the credit is refused, the money goes back. A transfer whose debit has no
 * answer in time lapses. A lapsed transfer has not ended: the debit may still take effect. It waits for the answer, and then
 * gives the money back.
 *
 * If the refund is refused too, because the account was deleted meanwhile, the transfer holds the money until somebody says where
 * it goes: `{"type":"Redirect","data":{"to":"account-7"}}`.
 */

import { cancel, process, reject, schedule, send } from "sillok";
import * as z from "zod";
import { account } from "./account.ts";

/** A transfer whose debit has no answer after this time lapses, in milliseconds. */
export const LAPSE = 60_000;

/** The stream of an account, such as `account-42`. */
const stream = z.string().regex(/^account-[\w-]{1,100}$/);
const order = z.object({ from: stream, to: stream, cents: z.int().positive() });
const refused = z.object({ reason: z.string() });
const redirected = z.object({ to: stream });

type Order = z.infer<typeof order>;

/** The state. Clients see it as it is. */
export interface Transfer {
  status:
    | "new"
    | "requested"
    | "lapsed"
    | "debited"
    | "refunding"
    | "held"
    | "completed"
    | "failed"
    | "refunded";
  order: Order | null;
  /** The reason why the money does not reach the receiver. */
  reason: string | null;
}

export const transfer = process("transfer", {
  events: {
    Requested: order,
    Lapsed: z.null(),
    Debited: z.null(),
    Failed: refused,
    Completed: z.null(),
    CreditRefused: refused,
    RefundRefused: refused,
    Redirected: redirected,
    Refunded: z.null(),
  },
  commands: { Request: order, Lapse: z.null(), Redirect: redirected },
  initialState: (): Transfer => ({ status: "new", order: null, reason: null }),
  evolve: {
    Requested: (state, order): Transfer => ({ ...state, status: "requested", order }),
    Lapsed: (state): Transfer => ({ ...state, status: "lapsed", reason: "lapsed" }),
    Debited: (state): Transfer => ({ ...state, status: afterDebit(state.status) }),
    Failed: (state, { reason }): Transfer => ({ ...state, status: "failed", reason }),
    Completed: (state): Transfer => ({ ...state, status: "completed" }),
    CreditRefused: (state, { reason }): Transfer => ({ ...state, status: "refunding", reason }),
    RefundRefused: (state, { reason }): Transfer => ({ ...state, status: "held", reason }),
    Redirected: (state): Transfer => ({ ...state, status: "refunding" }),
    Refunded: (state): Transfer => ({ ...state, status: "refunded" }),
  },
  decide: {
    Request(order, state, { now }) {
      if (state.order !== null) return same(state.order, order) ? [] : reject("already_requested");
      return [
        { type: "Requested", data: order },
        send("debit", account, idOf(order.from), withdraw(order)),
        schedule("lapse", now + LAPSE, { type: "Lapse", data: null }),
      ];
    },
    Lapse: (_, { status }) => (status === "requested" ? { type: "Lapsed", data: null } : []),
    Redirect(data, { status, order }) {
      if (status !== "held" || order === null) return reject("not_held");
      return [{ type: "Redirected", data }, send("refund", account, idOf(data.to), deposit(order))];
    },
  },
  answered: {
    debit(answer, { status, order }) {
      if (order === null) return [];
      if (!answer.accepted) {
        return [{ type: "Failed", data: { reason: answer.rejection.code } }];
      }
      const debited = { type: "Debited", data: null } as const;
      if (status === "lapsed") {
        return [debited, send("refund", account, idOf(order.from), deposit(order))];
      }
      return [debited, cancel("lapse"), send("credit", account, idOf(order.to), deposit(order))];
    },
    credit(answer, { order }) {
      if (order === null) return [];
      if (answer.accepted) return { type: "Completed", data: null };
      return [
        { type: "CreditRefused", data: { reason: answer.rejection.code } },
        send("refund", account, idOf(order.from), deposit(order)),
      ];
    },
    refund: (answer) =>
      answer.accepted
        ? { type: "Refunded", data: null }
        : { type: "RefundRefused", data: { reason: answer.rejection.code } },
  },
  ended: ({ status }) => status === "completed" || status === "failed" || status === "refunded",
});

/** The status after a debit: a transfer that has lapsed gives the money back. */
export function afterDebit(status: Transfer["status"]): Transfer["status"] {
  return status === "lapsed" ? "refunding" : "debited";
}

const withdraw = ({ cents }: Order) => ({ type: "Withdraw", data: { cents } }) as const;
const deposit = ({ cents }: Order) => ({ type: "Deposit", data: { cents } }) as const;

/** The id of the account, such as `42` for the stream `account-42`. */
function idOf(stream: string): string {
  return stream.slice("account-".length);
}

function same(one: Order, other: Order): boolean {
  return one.from === other.from && one.to === other.to && one.cents === other.cents;
}
