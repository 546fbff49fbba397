/** examples/bank: commands by `connect`, and the balances as documents. */

import assert from "node:assert/strict";
import { execFile } from "node:child_process";
import { test } from "node:test";
import { fileURLToPath } from "node:url";
import { promisify } from "node:util";

import { connect } from "sillok";

import type { App } from "../../examples/bank/worker.ts";
import { useApi } from "../support/api.ts";

const at = (file: string) => fileURLToPath(new URL(`../../examples/bank/${file}`, import.meta.url));
const api = useApi({ config: at("wrangler.toml") });
const bank = () => connect<App>(api.server.url);

test("the program of the example prints what it says", async () => {
  const run = () => promisify(execFile)(process.execPath, [at("client.ts"), api.server.url.href]);
  const printed = "{ code: 'insufficient_funds', data: { missing: 30 } }\n2 Ada 100\n";
  assert.equal((await run()).stdout, printed);
  // The second run repeats its commands: nothing happens again.
  assert.equal((await run()).stdout, printed);
});

test("a withdrawal is refused if the balance is too low, and a repeat is refused too", async () => {
  const account = bank().aggregate("account", "refused");
  const withdraw = { type: "Withdraw", data: { cents: 130 } } as const;
  assert.equal((await account.attempt(withdraw)).accepted, false);
  await account.execute({ type: "Open", data: { owner: "Ada" } });
  const refused = await account.attempt(withdraw, { commandId: "w-1" });
  assert.ok(!refused.accepted);
  assert.deepEqual(refused.rejection, { code: "insufficient_funds", data: { missing: 130 } });
  await account.execute({ type: "Deposit", data: { cents: 200 } });
  const repeated = await account.attempt(withdraw, { commandId: "w-1" });
  assert.deepEqual([repeated.accepted, repeated.replayed], [false, true]);
  const other = await account.execute(withdraw, { commandId: "w-2" });
  assert.equal(other.events[0]?.type, "Withdrawn");
  assert.deepEqual((await account.state()).state, { owner: "Ada", cents: 70 });
});

test("concurrent withdrawals never take more than there is", async () => {
  const account = bank().aggregate("account", "busy");
  await account.execute({ type: "Open", data: { owner: "Ada" } });
  await account.execute({ type: "Deposit", data: { cents: 100 } });
  const outcomes = await Promise.all(
    Array.from({ length: 30 }, () => account.attempt({ type: "Withdraw", data: { cents: 7 } })),
  );
  assert.equal(outcomes.filter(({ accepted }) => accepted).length, 14);
  assert.equal((await account.state()).state.cents, 2);
});

test("the balances are documents, and cover a command that has just been executed", async () => {
  const account = bank().aggregate("account", "listed");
  await account.execute({ type: "Open", data: { owner: "Alan" } });
  await account.execute({ type: "Deposit", data: { cents: 50 } });
  const min = await account.execute({ type: "Withdraw", data: { cents: 20 } });
  const balances = bank().projection("balances");
  assert.deepEqual(await balances.get(account.stream, { min }), { owner: "Alan", cents: 30 });
  const keys = [];
  for await (const { key } of balances.documents({ prefix: "account-l" })) keys.push(key);
  assert.deepEqual(keys, [account.stream]);
});

test("the definition of the aggregate is public", async () => {
  const { aggregates } = (await api.request("/v1/aggregates")).json;
  assert.deepEqual(
    aggregates.map(({ name, commands }: any) => [name, commands.map(({ type }: any) => type)]),
    [["account", ["Open", "Deposit", "Withdraw"]]],
  );
});
