/** The client of the package, for commands over HTTP and within the Worker. */

import assert from "node:assert/strict";
import { test } from "node:test";
import { fileURLToPath } from "node:url";

import { connect, isCommandRejected, isSillokError, isWrongExpectedVersion } from "sillok";

import { freshStream, useApi } from "../support/api.ts";
import type { Bank } from "../support/bank.ts";

const entry = fileURLToPath(import.meta.resolve("../support/bank-worker.ts"));
const api = useApi({ entry });

const bank = () => connect<Bank>(api.server.url);
const fresh = () => bank().aggregate("account", freshStream("x").slice(2));

test("commands, rejections and states", async () => {
  const account = fresh();
  const { events, version } = await account.execute({ type: "Open", data: { owner: "Ada" } });
  assert.deepEqual([version, events[0]?.type, events[0]?.data], [1, "Opened", { owner: "Ada" }]);
  const withdraw = { type: "Withdraw", data: { cents: 30 } } as const;
  const refused = await account.attempt(withdraw, { commandId: "a" });
  assert.ok(!refused.accepted);
  assert.deepEqual(
    [refused.rejection.code, refused.version, refused.replayed],
    ["insufficient_funds", 1, false],
  );
  const again = await account.execute(withdraw, { commandId: "a" }).catch((error) => error);
  assert.ok(isCommandRejected(again));
  assert.deepEqual([again.rejection.data, again.replayed], [{ missing: 30 }, true]);
  const tried = await account.attempt({ type: "Deposit", data: { cents: 1 } }, { dryRun: true });
  assert.ok(tried.accepted && tried.version === 2);
  const { state, version: at } = await account.state();
  assert.deepEqual([state, at], [{ owner: "Ada", cents: 0 }, 1]);
  assert.ok(Object.isFrozen(state));
  assert.deepEqual((await account.state({ version: 0 })).state.owner, null);
  assert.equal((await account.state({ time: new Date() })).version, 1);
  const conflict = account.execute(withdraw, { expectedVersion: 7 });
  const error = await conflict.catch((error) => error);
  assert.ok(isWrongExpectedVersion(error) && error.actual === 1);
});

test("a repeated request takes effect once", async () => {
  let sent = 0;
  const losing = async (url: string, request: RequestInit) => {
    const response = await fetch(url, request);
    sent += 1;
    if (sent % 2 === 1) throw new TypeError("the answer was lost");
    return response;
  };
  const account = connect<Bank>(api.server.url, { fetch: losing }).aggregate(
    "account",
    freshStream("x"),
  );
  const first = await account.execute({ type: "Deposit", data: { cents: 7 } });
  assert.deepEqual([first.version, first.replayed, sent], [1, false, 2]);
  assert.equal((await account.state()).state.cents, 7);
});

test("two clients with 200 concurrent commands: no decision is by a stale state", async () => {
  const id = freshStream("x");
  const accounts = [bank(), bank()].map((client) => client.aggregate("account", id));
  await accounts[0]?.execute({ type: "Deposit", data: { cents: 100 } });
  const attempts = Array.from({ length: 200 }, (_, n) =>
    accounts[n % 2]?.attempt({ type: "Withdraw", data: { cents: 1 } }),
  );
  const outcomes = await Promise.all(attempts);
  assert.equal(outcomes.filter((outcome) => outcome?.accepted).length, 100);
  assert.deepEqual((await accounts[1]?.state())?.state.cents, 0);
  const opened = await Promise.all(
    accounts.map((account, n) => account.attempt({ type: "Open", data: { owner: `${n}` } })),
  );
  assert.equal(opened.filter(({ accepted }) => accepted).length, 1, "of two that create, one wins");
  const expecting = accounts.map((account) =>
    account.attempt({ type: "Deposit", data: { cents: 1 } }, { expectedVersion: 102 }),
  );
  const settled = await Promise.allSettled(expecting);
  const [won, lost] = ["fulfilled", "rejected"].map((status) =>
    settled.filter((one) => one.status === status),
  );
  assert.deepEqual([won?.length, lost?.length], [1, 1]);
});

test("the Worker's own code uses aggregates, documents and streams without the network", async () => {
  const { status, json } = await api.request("/own/77");
  assert.equal(status, 200);
  assert.deepEqual(json, { version: 1, cents: 50, document: { cents: 50 }, events: ["Deposited"] });
});

test("an object with a `fetch` takes the place of a URL", async () => {
  const binding = {
    fetch: (url: string, request: RequestInit) =>
      fetch(new URL(new URL(url).pathname, api.server.url), request),
  };
  const { version } = await connect<Bank>(binding).aggregate("tally", freshStream("x")).state();
  assert.equal(version, 0);
});

test("a wrong argument is refused with its name", async () => {
  const codeOf = async (call: () => unknown) => {
    try {
      await call();
    } catch (error) {
      return isSillokError(error) ? [error.code, error.field] : error;
    }
    return undefined;
  };
  const account = fresh();
  const deposit = { type: "Deposit", data: { cents: 1 } } as const;
  for (const [call, expected] of [
    [() => bank().aggregate("account-1" as "account", "2"), ["invalid_parameter", "name"]],
    [() => account.execute(7 as never), ["invalid_command", "command"]],
    [() => account.execute(deposit, { commandId: "" }), ["invalid_idempotency_key", "commandId"]],
    [() => account.execute(deposit, { attempts: 3 } as object), ["invalid_parameter", "attempts"]],
    [() => account.state({ version: 1, time: 1 }), ["invalid_parameter", "time"]],
    [() => account.state({ version: 9 }), ["invalid_parameter", "version"]],
    [() => connect({ fetch }, { fetch }), ["invalid_parameter", "fetch"]],
    [() => connect("ftp://x"), ["invalid_parameter", "url"]],
  ] as const) {
    assert.deepEqual(await codeOf(call), expected, call.toString());
  }
});
