/** The Worker of examples/bank-rust: an aggregate and a projection in Rust. */

import assert from "node:assert/strict";
import { test } from "node:test";
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
