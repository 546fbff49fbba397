/** The whole Worker, with its objects, in the runtime of Workers: a command is sent, and its documents are read. */

import { connect } from "sillok";
import { afterAll, beforeAll, expect, test } from "vitest";
import { unstable_startWorker } from "wrangler";
import type { App } from "../src/worker.ts";

let worker: Awaited<ReturnType<typeof unstable_startWorker>>;
let bank: ReturnType<typeof connect<App>>;

beforeAll(async () => {
  worker = await unstable_startWorker({
    config: "wrangler.toml",
    bindings: { SILLOK_AUTH: { type: "plain_text", value: "off" } },
    dev: { server: { port: 0 }, inspector: false, persist: false, logLevel: "error" },
  });
  bank = connect<App>(await worker.url);
}, 30_000);
afterAll(() => worker.dispose());

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
  const response = await fetch(new URL("/api/total", await worker.url));
  expect(await response.json()).toEqual({ cents: 100 });
});
