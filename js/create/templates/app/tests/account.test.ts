/** The rules of an account. These tests need no server. */

import { test } from "vitest";
import { given, laws } from "sillok/testing";
import { account } from "../src/account.ts";

const opened = { type: "Opened", data: { owner: "Ada" } } as const;
const deposited = { type: "Deposited", data: { cents: 100 } } as const;
const open = (owner: string) => ({ type: "Open", data: { owner } }) as const;
const deposit = (cents: number) => ({ type: "Deposit", data: { cents } }) as const;
const withdraw = (cents: number) => ({ type: "Withdraw", data: { cents } }) as const;

test("an account is opened once", () => {
  given(account).when(open("Ada")).then(opened);
  given(account, [opened]).when(open("Ada")).thenNothing();
  given(account, [opened]).when(open("Alan")).thenRejected("already_open");
});

test("a deposit needs an open account", () => {
  given(account).when(deposit(100)).thenRejected("not_open");
  given(account, [opened]).when(deposit(100)).then(deposited);
});

test("a withdrawal is refused if the balance is too low", () => {
  const history = [opened, deposited];
  given(account, history).when(withdraw(30)).thenState({ owner: "Ada", cents: 70 });
  given(account, history).when(withdraw(130)).thenRejected("insufficient_funds", { missing: 30 });
});

test("a command of the wrong shape is invalid", () => {
  given(account, [opened]).when(deposit(-1)).thenFails("invalid_command");
});

test("the aggregate obeys the laws", () => {
  laws(account, [[], [opened, deposited]], [open("Ada"), deposit(100), withdraw(30)]);
});
