/** Tests of the bank, in memory: `npm test`. */

import assert from "node:assert/strict";
import { test } from "node:test";
import { EventGateway, EventStore } from "sillok";
import { given, laws } from "sillok/testing";
import { account, balances } from "./bank.ts";

const opened = { type: "Opened", data: { owner: "Ada" } } as const;
const deposited = { type: "Deposited", data: { cents: 100 } } as const;
const open = { type: "Open", data: { owner: "Ada" } } as const;
const deposit = { type: "Deposit", data: { cents: 100 } } as const;
const withdraw = (cents: number) => ({ type: "Withdraw", data: { cents } }) as const;

test("a deposit needs an open account", () => {
  given(account).when(deposit).thenRejected("not_open");
  given(account, [opened]).when(deposit).then(deposited);
});

test("a withdrawal is refused if the balance is too low", () => {
  const history = [opened, deposited];
  given(account, history).when(withdraw(30)).thenState({ owner: "Ada", cents: 70 });
  given(account, history).when(withdraw(130)).thenRejected("insufficient_funds", { missing: 30 });
});

test("the aggregate obeys the laws", () => {
  laws(account, [[], [opened, deposited]], [open, deposit, withdraw(30)]);
});

test("the documents have the balances", async () => {
  const store = new EventStore();
  const gateway = new EventGateway(store).register(account, balances);
  for (const command of [open, deposit, withdraw(30)]) {
    await store.execute("account-42", command, account);
  }
  await gateway.catchUp();
  const balance = await gateway.projection(balances).get("account-42");
  assert.deepEqual(balance, { owner: "Ada", cents: 70 });
});
