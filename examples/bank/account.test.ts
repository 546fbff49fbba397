/** The rules of an account, tested without a server: `node --test`. */

import { test } from "node:test";
import { given, laws } from "sillok/testing";
import { account } from "./account.ts";

const opened = { type: "Opened", data: { owner: "Ada" } } as const;
const deposited = { type: "Deposited", data: { cents: 100 } } as const;
const withdrawn = { type: "Withdrawn", data: { cents: 30 } } as const;
const open = (owner: string) => ({ type: "Open", data: { owner } }) as const;
const deposit = (cents: number) => ({ type: "Deposit", data: { cents } }) as const;
const withdraw = (cents: number) => ({ type: "Withdraw", data: { cents } }) as const;

test("an account is opened once", () => {
  given(account).when(open("Ada")).then(opened);
  given(account, [opened]).when(open("Ada")).thenNothing();
  given(account, [opened]).when(open("Alan")).thenRejected("already_open");
});

test("an account must be open", () => {
  given(account).when(deposit(100)).thenRejected("not_open");
  given(account).when(withdraw(30)).thenRejected("not_open");
});

test("a deposit adds to the balance", () => {
  given(account, [opened]).when(deposit(100)).then(deposited);
  given(account, [opened]).when(deposit(100)).thenState({ owner: "Ada", cents: 100 });
});

test("a withdrawal is refused if the balance is too low", () => {
  const history = [opened, deposited];
  given(account, history).when(withdraw(30)).then(withdrawn);
  given(account, history).when(withdraw(100)).thenState({ owner: "Ada", cents: 0 });
  given(account, history).when(withdraw(130)).thenRejected("insufficient_funds", { missing: 30 });
});

test("a command of the wrong shape is invalid", () => {
  given(account, [opened]).when(deposit(-1)).thenFails("invalid_command");
  given(account, [opened]).when(deposit(0.5)).thenFails("invalid_command");
});

test("the aggregate obeys the laws", () => {
  const commands = [open("Ada"), deposit(100), withdraw(30), withdraw(1000)];
  laws(account, [[], [opened, deposited, withdrawn]], commands);
});
