/** examples/bank: commands by `connect`, transfers, the balances as documents, the statement in D1, and the routes. */

import assert from "node:assert/strict";
import { execFile } from "node:child_process";
import { test } from "node:test";
import { fileURLToPath } from "node:url";
import { setTimeout as sleep } from "node:timers/promises";
import { promisify } from "node:util";

import { connect } from "sillok";

import type { App } from "../../examples/bank/worker.ts";
import { useApi } from "../support/api.ts";
import { migrate } from "../support/migrate.ts";

const at = (file: string) => fileURLToPath(new URL(`../../examples/bank/${file}`, import.meta.url));
const api = useApi({ config: at("wrangler.toml") }, ({ server }) =>
  migrate(server, "DB", at("migrations/0001_movements.sql")),
);
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
  const balances = bank().documents("balances");
  assert.deepEqual(await balances.get(account.stream, { min }), { owner: "Alan", cents: 30 });
  const keys = [];
  for await (const { key } of balances.list({ prefix: "account-l" })) keys.push(key);
  assert.deepEqual(keys, [account.stream]);
});

test("the definition of the aggregate is public", async () => {
  const { aggregates } = (await api.request("/v1/aggregates")).json;
  assert.deepEqual(
    aggregates.map(({ name, commands }: any) => [name, commands.map(({ type }: any) => type)]),
    [
      ["account", ["Open", "Deposit", "Withdraw"]],
      ["transfer", ["Request", "Lapse", "Redirect"]],
    ],
  );
});

/** Opens an account with a balance, and returns its stream. */
async function opened(id: string, cents: number): Promise<string> {
  const account = bank().aggregate("account", id);
  await account.execute({ type: "Open", data: { owner: id } });
  if (cents > 0) await account.execute({ type: "Deposit", data: { cents } });
  return account.stream;
}

const centsOf = async (stream: string) => (await api.state(stream)).json.state.cents;

/** Waits until a transfer has ended, and returns its state. */
async function ended(transfer: string): Promise<any> {
  for (;;) {
    const { state } = (await api.state(transfer)).json;
    if (["completed", "failed", "refunded"].includes(state.status)) return state;
    await sleep(20);
  }
}

const request = (from: string, to: string, cents: number) => ({
  type: "Request",
  data: { from, to, cents },
});

test("a transfer moves money, and nothing is left of it", async () => {
  const [from, to] = [await opened("from", 300), await opened("to", 0)];
  await api.executed("transfer-1", request(from, to, 100));
  const state = { status: "completed", order: { from, to, cents: 100 }, reason: null };
  assert.deepEqual(await ended("transfer-1"), state);
  assert.deepEqual([await centsOf(from), await centsOf(to)], [200, 100]);
  for (const pending of ["timers", "sent"]) {
    const { json } = await api.request(`/v1/streams/transfer-1/${pending}`);
    assert.deepEqual(json[pending], [], pending);
  }
  const again = await api.execute("transfer-1", request(from, to, 100));
  assert.deepEqual([again.status, again.json.rejection.code], [422, "process_ended"]);
});

test("a transfer of more than there is fails, and changes no balance", async () => {
  const [from, to] = [await opened("poor", 99), await opened("rich", 0)];
  await api.executed("transfer-2", request(from, to, 100));
  const { status, reason } = await ended("transfer-2");
  assert.deepEqual([status, reason], ["failed", "insufficient_funds"]);
  assert.deepEqual([await centsOf(from), await centsOf(to)], [99, 0]);
});

test("a transfer to a missing account is refunded", async () => {
  const from = await opened("kind", 100);
  await api.executed("transfer-3", request(from, "account-nobody", 100));
  const { status, reason } = await ended("transfer-3");
  assert.deepEqual([status, reason], ["refunded", "not_open"]);
  assert.equal(await centsOf(from), 100);
});

test("many transfers at once lose no money", async () => {
  const ids = [0, 1, 2, 3];
  const accounts = await Promise.all(ids.map((n) => opened(`ring${n}`, 100)));
  const names = Array.from({ length: 40 }, (_, n) => `transfer-ring${n}`);
  await Promise.all(
    names.map((name, n) =>
      api.executed(
        name,
        request(
          accounts[n % 4]!,
          n % 5 === 0 ? "account-no" : accounts[(n * 3 + 1) % 4]!,
          7 * n + 1,
        ),
      ),
    ),
  );
  await Promise.all(names.map(ended));
  const balances = await Promise.all(accounts.map(centsOf));
  assert.equal(
    balances.reduce((sum, cents) => sum + cents, 0),
    400,
  );
});

test("a transfer is a document", async () => {
  const from = await opened("shown", 10);
  await api.executed("transfer-4", request(from, "account-nobody", 10));
  await ended("transfer-4");
  const { version } = (await api.state("transfer-4")).json;
  const min = { stream: "transfer-4", version };
  assert.deepEqual(await bank().documents("transfers").get("transfer-4", { min }), {
    from,
    to: "account-nobody",
    cents: 10,
    status: "refunded",
  });
});

/** Reads the statement of an account until it has this number of movements. */
async function statement(account: string, count: number, query = ""): Promise<any> {
  for (;;) {
    const { status, json, text } = await api.request(`/statement/${account}${query}`);
    assert.equal(status, 200, text);
    if (json.movements.length === count) return json;
    assert.ok(json.movements.length < count, text);
    await sleep(20);
  }
}

test("the statement has each movement once, the newest first", async () => {
  const account = await opened("stated", 100);
  await bank()
    .aggregate("account", "stated")
    .execute({ type: "Withdraw", data: { cents: 30 } });
  const found = await statement(account, 2);
  const { events } = (await api.read(account)).json;
  assert.deepEqual(found, {
    account,
    movements: [
      { version: 3, time: events[2].time, cents: -30 },
      { version: 2, time: events[1].time, cents: 100 },
    ],
    next: null,
  });
  assert.deepEqual((await statement(account, 1, "?before=3")).movements, found.movements.slice(1));
});

test("an event that is handled again changes nothing in the statement", async () => {
  const account = await opened("repeated", 100);
  const before = await statement(account, 1);
  const db = await api.server.database("DB");
  // The row is there, but the reactor has not noted its event: as after a crash between the two.
  await db
    .prepare("INSERT INTO movements VALUES (?1, 3, '2026-01-01T00:00:00.000Z', 7)")
    .bind(account)
    .run();
  const deposit = { type: "Deposit", data: { cents: 7 } } as const;
  await bank().aggregate("account", "repeated").execute(deposit);
  await bank().aggregate("account", "repeated").execute(deposit);
  const after = await statement(account, 3);
  assert.deepEqual(
    after.movements.map(({ cents }: any) => cents),
    [7, 7, 100],
  );
  assert.deepEqual(after.movements.slice(2), before.movements);
});

test("a long statement comes in pages", async () => {
  const account = await opened("long", 0);
  const deposits = Array.from({ length: 101 }, (_, n) => ({
    type: "Deposited",
    data: { cents: n + 1 },
  }));
  await api.appended(account, deposits);
  await statement(account, 1, "?before=3");
  let page = await statement(account, 100);
  assert.deepEqual([page.movements[0].version, page.next], [102, 3]);
  page = await statement(account, 1, `?before=${page.next}`);
  assert.deepEqual([page.movements[0].cents, page.next], [1, null]);
  const wrong = await api.request(`/statement/${account}?before=x`);
  assert.deepEqual([wrong.status, wrong.json], [400, { code: "invalid_request", field: "before" }]);
});

function post(body: unknown) {
  const text = typeof body === "string" ? body : JSON.stringify(body);
  return api.request("/transfers", { method: "POST", body: text });
}

test("a program requests a transfer by the route, and may repeat it", async () => {
  const [from, to] = [await opened("routed", 100), await opened("receiver", 0)];
  const order = { from, to, cents: 60 };
  for (let time = 0; time < 2; time += 1) {
    const { status, json } = await post({ id: "routed", ...order });
    assert.deepEqual([status, json], [202, { transfer: "transfer-routed" }]);
    assert.equal((await ended("transfer-routed")).status, "completed");
  }
  assert.deepEqual([await centsOf(from), await centsOf(to)], [40, 60]);
  const other = await post({ id: "routed", ...order, cents: 1 });
  assert.deepEqual([other.status, other.json], [409, { code: "idempotency_key_reused" }]);
  const named = await post(order);
  assert.match(named.json.transfer, /^transfer-[0-9a-f-]{36}$/);
  assert.equal((await ended(named.json.transfer)).status, "failed");
});

test("the route refuses a wrong request", async () => {
  const order = { from: "account-a", to: "account-b", cents: 1 };
  for (const [body, code, field] of [
    ["{", "invalid_command", "data.from"],
    ["7", "invalid_command", "data.from"],
    [{ ...order, cents: -1 }, "invalid_command", "data.cents"],
    [{ ...order, to: "transfer-1" }, "invalid_command", "data.to"],
    [{ ...order, id: 7 }, "invalid_request", "id"],
    [{ ...order, id: "\n" }, "invalid_stream_id", "stream"],
  ] as const) {
    const { status, json } = await post(body);
    assert.deepEqual([status, json], [400, { code, field }], JSON.stringify(body));
  }
});

test("all other paths are Sillok's, and the page is at the root", async () => {
  assert.equal((await api.request("/v1/health")).json.status, "ok");
  assert.equal((await api.request("/v1/nothing")).status, 404);
  assert.equal((await api.request("/nothing")).status, 404);
  const page = await api.request("/");
  assert.match(page.headers.get("content-type") ?? "", /^text\/html/);
});
