/** Another Worker uses the bank of the example by `connect`, over a service binding. */

import assert from "node:assert/strict";
import { test } from "node:test";
import { fileURLToPath } from "node:url";

import { useApi } from "../support/api.ts";
import { secondsFromNow, sign } from "../support/token.ts";

const at = (path: string): string => fileURLToPath(new URL(`../../${path}`, import.meta.url));
const SECRET = "the secret that signs the tokens of this test";
const api = useApi({
  config: at("examples/bank/wrangler.toml"),
  vars: { SILLOK_SECRET: SECRET },
  beside: {
    config: at("tests/support/bank-client.toml"),
    entry: at("tests/support/bank-client-worker.ts"),
  },
});

/** Sends a command to the other Worker, or asks it for the account, with a token of these scopes. */
async function ask(scope: string | undefined, id: string, command?: object, commandId?: string) {
  const token = sign({ scope, exp: secondsFromNow(60) }, SECRET);
  const headers = {
    ...(scope === undefined ? {} : { Authorization: `Bearer ${token}` }),
    ...(commandId === undefined ? {} : { "Idempotency-Key": commandId }),
  };
  const asked = command === undefined ? {} : { method: "POST", body: JSON.stringify(command) };
  const worker = await api.server.beside();
  const response = await worker.fetch(`http://beside/${id}`, { ...asked, headers });
  return (await response.json()) as any;
}

const open = { type: "Open", data: { owner: "Ada" } };
const deposit = (cents: number) => ({ type: "Deposit", data: { cents } });
const withdraw = (cents: number) => ({ type: "Withdraw", data: { cents } });
const MAY = "read execute";

test("commands are decided, repeated and rejected over a service binding", async () => {
  const opened = await ask(MAY, "42", open);
  assert.deepEqual([opened.accepted, opened.version], [true, 1]);
  const [first, again] = [
    await ask(MAY, "42", deposit(70), "d-1"),
    await ask(MAY, "42", deposit(70), "d-1"),
  ];
  assert.deepEqual([first.replayed, again.replayed], [false, true]);
  assert.deepEqual({ ...again, replayed: false }, first);
  const refused = await ask(MAY, "42", withdraw(100));
  assert.deepEqual(refused.rejection, { code: "insufficient_funds", data: { missing: 30 } });
  assert.deepEqual(await ask(MAY, "42"), {
    state: { owner: "Ada", cents: 70 },
    version: 2,
    balance: { owner: "Ada", cents: 70 },
    types: ["Opened", "Deposited"],
  });
});

test("a service binding gives no rights: the token has them", async () => {
  assert.deepEqual(await ask(undefined, "43", open), { code: "missing_token" });
  assert.deepEqual(await ask("read", "43", open), { code: "insufficient_scope" });
});
