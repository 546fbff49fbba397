/** The Worker of examples/bank-rust: an aggregate, a process and a projection in Rust. */

import assert from "node:assert/strict";
import { test } from "node:test";
import { setTimeout as sleep } from "node:timers/promises";
import { fileURLToPath } from "node:url";

import { assertProblem, freshStream, type Reply, streamPath, useApi } from "../support/api.ts";

const config = fileURLToPath(new URL("../../examples/bank-rust/wrangler.toml", import.meta.url));
const api = useApi({ config });

function execute(stream: string, type: string, data: object): Promise<Reply> {
  const init = { method: "POST", body: JSON.stringify({ type, data }) };
  return api.request(`${streamPath(stream)}/commands`, init);
}

test("an account is opened, filled and drawn upon, and its balance is a document", async () => {
  const account = freshStream();
  assertProblem(await execute(account, "Deposit", { cents: 1 }), 422, "command_rejected");
  for (const [type, data] of [
    ["Open", { owner: "Ada" }],
    ["Deposit", { cents: 100 }],
    ["Withdraw", { cents: 30 }],
  ] as const) {
    const { status, text } = await execute(account, type, data);
    assert.equal(status, 200, text);
  }
  const { rejection } = (await execute(account, "Withdraw", { cents: 500 })).json;
  assert.deepEqual(rejection, { code: "insufficient_funds", data: { missing: 430 } });
  const state = (await api.request(`${streamPath(account)}/state`)).json;
  assert.deepEqual(state, { stream: account, version: 3, state: { owner: "Ada", cents: 70 } });
  const document = `/v1/projections/balances/documents/${account}?min=${account}@3`;
  assert.deepEqual((await api.request(document)).json, { owner: "Ada", cents: 70 });
});

/** Waits until a transfer has ended, and returns its state. */
async function ended(transfer: string): Promise<any> {
  for (;;) {
    const { state } = (await api.state(transfer)).json;
    if (["completed", "failed", "refunded"].includes(state.status)) return state;
    await sleep(20);
  }
}

test("transfers complete, fail or are refunded, and no money is lost", async () => {
  const [from, to, missing] = [freshStream(), freshStream(), freshStream()];
  for (const account of [from, to]) await execute(account, "Open", { owner: account });
  await execute(from, "Deposit", { cents: 100 });
  for (const [receiver, cents, status, reason] of [
    [to, 60, "completed", null],
    [to, 60, "failed", "insufficient_funds"],
    [missing, 40, "refunded", "not_open"],
  ] as const) {
    const [transfer, order] = [freshStream("transfer"), { from, to: receiver, cents }];
    const { status: answered, text } = await execute(transfer, "Request", order);
    assert.equal(answered, 200, text);
    assert.deepEqual(await ended(transfer), { status, order, reason });
    for (const list of ["timers", "sent"]) {
      const { json } = await api.request(`${streamPath(transfer)}/${list}`);
      assert.deepEqual(json[list], [], list);
    }
  }
  const balances = [from, to].map(async (stream) => (await api.state(stream)).json.state.cents);
  assert.deepEqual(await Promise.all(balances), [40, 60]);
});

test("a request that names no account is invalid", async () => {
  const order = { from: freshStream(), to: "b", cents: 1 };
  assertProblem(
    await execute(freshStream("transfer"), "Request", order),
    400,
    "invalid_command",
    "data",
  );
});
