/** The whole Worker, with its objects: a command is sent, and its documents are read. */

import { SELF } from "cloudflare:test";
import { connect } from "sillok";
import { expect, test } from "vitest";
import type { App } from "../src/worker.ts";

const bank = connect<App>(SELF);

test("a command changes the state and the documents", async () => {
  const account = bank.aggregate("account", "42");
  await account.execute({ type: "Open", data: { owner: "Ada" } });
  const min = await account.execute({ type: "Deposit", data: { cents: 100 } });

  const { state } = await account.state();
  expect(state).toEqual({ owner: "Ada", cents: 100 });
  // `min` waits until the document covers the command.
  const balance = await bank.documents("balances").get("account-42", { min });
  expect(balance).toEqual({ owner: "Ada", cents: 100 });
});

test("a rejection is a value", async () => {
  const account = bank.aggregate("account", "43");
  const outcome = await account.attempt({ type: "Withdraw", data: { cents: 130 } });
  expect(outcome).toMatchObject({ accepted: false, rejection: { code: "not_open" } });
});

test("a route of its own reads the documents", async () => {
  const response = await SELF.fetch("https://app.example/api/total");
  expect(await response.json()).toEqual({ cents: 100 });
});
