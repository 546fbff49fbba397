// Transfers between accounts: an aggregate and a process, for the tests of the package.

import type { Sillok } from "./behaviour.ts";

export const DAY = 24 * 60 * 60 * 1000;

type Moved = { type: "Deposited" | "Withdrawn" | "Closed"; data: { cents: number } };
type Move = { type: "Deposit" | "Withdraw" | "Close"; data: { cents: number } };
type Order = { from: string; to: string; cents: number };
type Event =
  | { type: "Requested"; data: Order }
  | { type: "Debited" | "Completed" | "Refunded" | "Lapsed"; data: null }
  | { type: "Failed"; data: string };
type Command = { type: "Request"; data: Order } | { type: "Lapse" };
interface State {
  readonly status: string;
  readonly order: Order;
}

export const request = (from: string, to: string, cents: number) =>
  ({ type: "Request", data: { from, to, cents } }) as const;
export const deposit = (cents: number) => ({ type: "Deposit", data: { cents } }) as const;

/** A transfer withdraws, deposits, and gives back if the receiver refuses. It lapses after three days without an answer. */
export function transfersOf({
  aggregate,
  process,
  reject,
  schedule,
  send,
}: Pick<Sillok, "aggregate" | "process" | "reject" | "schedule" | "send">) {
  const account = aggregate<Moved, Move, number>("account", {
    initialState: () => 0,
    decide: ({ type, data }, cents) => {
      // A closed account has no money and takes none.
      if (cents < 0) return reject("account_closed");
      if (type === "Close") return { type: "Closed", data: { cents } };
      if (type === "Deposit") return { type: "Deposited", data };
      return data.cents > cents
        ? reject("insufficient_funds", { missing: data.cents - cents })
        : { type: "Withdrawn", data };
    },
    evolve: (cents, { type, data }) =>
      type === "Closed" ? -1 : cents + (type === "Deposited" ? data.cents : -data.cents),
  });
  const over = ["Completed", "Failed", "Refunded", "Lapsed"];
  const transfer = process<Event, Command, State>("transfer", {
    initialState: () => ({ status: "new", order: { from: "", to: "", cents: 0 } }),
    evolve: (state, event) =>
      event.type === "Requested"
        ? { status: event.type, order: event.data }
        : { ...state, status: event.type },
    decide: (command, { status }, { now }) => {
      if (command.type === "Lapse") return { type: "Lapsed", data: null };
      if (status !== "new") return [];
      const { from, cents } = command.data;
      return [
        { type: "Requested", data: command.data },
        send("debit", account, from, { type: "Withdraw", data: { cents } }),
        schedule("lapse", now + 3 * DAY, { type: "Lapse" }),
      ];
    },
    answered: {
      debit: (answer, { order: { to, cents } }) =>
        answer.accepted
          ? [{ type: "Debited", data: null }, send("credit", account, to, deposit(cents))]
          : { type: "Failed", data: answer.rejection.code },
      credit: ({ accepted }, { order: { from, cents } }) =>
        accepted
          ? { type: "Completed", data: null }
          : send("refund", account, from, deposit(cents)),
      refund: () => ({ type: "Refunded", data: null }),
    },
    ended: ({ status }) => over.includes(status),
  });
  return { account, transfer };
}
