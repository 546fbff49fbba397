// @ts-check
/** Assembles the page: two tables, which follow the documents of two projections. */

import { Live } from "./live.js";
import { Table } from "./table.js";
import { onToken } from "./token.js";

/** @param {number} cents */
const amount = (cents) => (cents / 100).toFixed(2);

const balances = new Live(
  "balances",
  new Table("balances", (key, { owner, cents }) => [key, owner, amount(cents)]),
);
const transfers = new Live(
  "transfers",
  new Table("transfers", (key, { from, to, cents, status }) => [
    key,
    from,
    to,
    amount(cents),
    status,
  ]),
);

onToken((token) => {
  void balances.begin(token);
  void transfers.begin(token);
});
