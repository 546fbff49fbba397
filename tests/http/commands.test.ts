/** Commands: their outcomes, their prices, and the outcomes that are remembered. */

import assert from "node:assert/strict";
import { test } from "node:test";
import { fileURLToPath } from "node:url";

import { assertProblem, freshStream, priceOf, streamPath, useApi } from "../support/api.ts";

const entry = fileURLToPath(import.meta.resolve("../support/bank-worker.ts"));
const api = useApi({ entry });

const open = (owner: string) => ({ type: "Open", data: { owner } });
const deposit = (cents: number) => ({ type: "Deposit", data: { cents } });
const withdraw = (cents: number) => ({ type: "Withdraw", data: { cents } });
const count = (n: number) => ({ type: "Count", data: { n } });
const named = (id: string) => ({ "Idempotency-Key": id });
/** The platform counts a read row for each inserted commit, because it checks that the key of the row is new. */
const CHECKED = 1;
const decisions = async () => Number((await api.request("/decided")).text);

test("a command is decided by the state, and its events are stored", async () => {
  const stream = freshStream();
  const opened = await api.execute(stream, open("Ada"));
  const { time, events, ...outcome } = opened.json;
  assert.deepEqual([opened.status, opened.headers.get("etag")], [200, '"1"']);
  assert.deepEqual(outcome, { stream, firstVersion: 1, version: 1, replayed: false });
  assert.deepEqual(events, (await api.read(stream)).json.events);
  assert.deepEqual(
    [events[0].type, events[0].data, events[0].time],
    ["Opened", { owner: "Ada" }, time],
  );
  await api.executed(stream, deposit(70));
  const { json } = await api.state(stream);
  assert.deepEqual(json, { stream, version: 2, state: { owner: "Ada", cents: 70 } });
  assert.equal((await api.request(`${streamPath(stream)}/verify`)).json.intact, true);
});

test("1,000 warm commands read no rows, and write one each, and one more with an id", async () => {
  const stream = freshStream();
  await api.executed(stream, deposit(1));
  // The first id makes the table of the outcomes, and the second finds it.
  for (const id of ["first", "second"]) await api.executed(stream, deposit(1), named(id));
  let others = 0;
  const begun = Date.now();
  for (let n = 4; n <= 1003; n += 1) {
    const isNamed = n % 2 === 0;
    const reply = await api.execute(stream, deposit(1), isNamed ? named(`c-${n}`) : {});
    assert.equal(reply.json.version, n, reply.text);
    // After 500 events, a snapshot of the state is due.
    if (n % 500 === 0) continue;
    const { read, written } = priceOf(reply);
    assert.equal(read, CHECKED, `command ${n} has read rows`);
    others += written - (isNamed ? 2 : 1);
  }
  // An alarm that has rung is set again, after 5 seconds.
  const alarms = 1 + Math.ceil((Date.now() - begun) / 5000);
  assert.ok(others >= 0 && others <= alarms, `${others} rows more`);
  const tried = await api.execute(stream, deposit(1), {}, "?dry-run=true");
  assert.deepEqual(priceOf(tried), { read: 0, written: 0 });
  assert.equal((await api.state(stream)).json.state.cents, 1003);
});

test("a snapshot writes one row", async () => {
  const stream = freshStream("tally");
  const prices = [];
  for (let n = 1; n <= 40; n += 1) prices.push(priceOf(await api.execute(stream, count(1))));
  const due = prices.filter((_, place) => place > 10 && (place + 1) % 10 === 0);
  assert.deepEqual(
    due.map(({ written }) => written),
    [2, 2, 2],
  );
  assert.ok(due.every(({ read }) => read <= 15));
});

test("a repeat of a command has its first outcome, and is not decided again", async () => {
  const stream = freshStream();
  const first = await api.execute(stream, open("Ada"), named("a"));
  const refused = await api.execute(stream, withdraw(30), named("b"));
  const nothing = await api.execute(stream, open("Ada"), named("c"));
  await api.executed(stream, deposit(100));
  const before = await decisions();
  const again = await api.execute(stream, open("Ada"), { ...named("a"), "If-None-Match": "*" });
  assert.deepEqual([again.status, again.json], [200, { ...first.json, replayed: true }]);
  // By the present state, the decision would be another one.
  const refusedAgain = await api.execute(stream, withdraw(30), named("b"));
  const rejection = { code: "insufficient_funds", data: { missing: 30 } };
  for (const [reply, replayed] of [
    [refused, false],
    [refusedAgain, true],
  ] as const) {
    const problem = assertProblem(reply, 422, "command_rejected");
    assert.deepEqual(
      [problem.rejection, problem.version, problem.replayed],
      [rejection, 1, replayed],
    );
  }
  const nothingAgain = await api.execute(stream, open("Ada"), named("c"));
  assert.deepEqual(nothingAgain.json, { ...nothing.json, replayed: true });
  assert.equal(await decisions(), before);
  assert.equal((await api.state(stream)).json.state.cents, 100);
  const other = await api.execute(stream, withdraw(1), named("a"));
  assertProblem(other, 422, "idempotency_key_reused");
  await api.server.evict(stream);
  const later = await api.execute(stream, withdraw(30), named("b"));
  assert.deepEqual(
    later.json.rejection,
    rejection,
    "also after the object was removed from memory",
  );
});

test("a decision that nothing happens writes nothing", async () => {
  const stream = freshStream();
  await api.executed(stream, open("Ada"));
  const reply = await api.execute(stream, open("Ada"));
  assert.deepEqual([reply.status, reply.headers.get("etag")], [200, '"1"']);
  assert.deepEqual([reply.json.events, reply.json.firstVersion, reply.json.version], [[], 2, 1]);
  assert.equal(priceOf(reply).written, 0);
  assert.equal(await api.version(stream), 1);
});

test("a dry run answers the same, and writes nothing", async () => {
  const stream = freshStream();
  const tried = await api.execute(stream, open("Ada"), named("a"), "?dry-run=true");
  assert.deepEqual([tried.json.version, tried.json.events[0].data], [1, { owner: "Ada" }]);
  assert.equal(priceOf(tried).written, 0);
  assert.equal((await api.state(stream)).json.version, 0);
  assert.equal((await api.execute(stream, open("Ada"), named("a"))).json.replayed, false);
  const refused = await api.execute(stream, withdraw(1), {}, "?dry-run=true");
  assertProblem(refused, 422, "command_rejected");
  const wrong = await api.execute(stream, withdraw(1), {}, "?dry-run=yes");
  assertProblem(wrong, 400, "invalid_parameter", "dry-run");
});

test("between two commands, an append and a truncation do not leave a stale state", async () => {
  const stream = freshStream();
  await api.executed(stream, open("Ada"));
  await api.executed(stream, deposit(10));
  await api.appended(stream, { type: "Deposited", data: { cents: 5 } });
  const taken = await api.execute(stream, withdraw(15));
  assert.equal(taken.json.version, 4, taken.text);
  assert.ok(priceOf(taken).read <= 3, "only the new event and the head are read");
  const truncate = async (before: number) => {
    const init = { method: "POST", body: JSON.stringify({ before }) };
    assert.equal((await api.request(`${streamPath(stream)}/truncate`, init)).status, 200);
  };
  await truncate(4);
  const after = await api.execute(stream, deposit(1));
  assert.equal(after.json.version, 5, after.text);
  assert.deepEqual((await api.state(stream)).json.state, { owner: "Ada", cents: 1 });
  await api.server.evict(stream);
  assert.equal((await api.executed(stream, deposit(1))).version, 6, "a snapshot was stored");
  await api.server.evict(stream);
  await truncate(7);
  await api.server.evict(stream);
  assert.equal((await api.executed(stream, deposit(1))).version, 7);
  assert.deepEqual((await api.state(stream)).json.state, { owner: "Ada", cents: 3 });
});

test("after a write that has failed, the next command is decided by the true state", async () => {
  const stream = freshStream();
  await api.executed(stream, open("Ada"));
  await api.executed(stream, deposit(10), named("first"));
  // The second table is written after the first, in the same act.
  for (const table of ["commits_v1", "outcomes_v1"]) {
    const refuse = `BEFORE INSERT ON ${table} BEGIN SELECT RAISE(ABORT, 'disk full'); END`;
    await api.server.sql(stream, `CREATE TRIGGER refuse ${refuse}`);
    const failed = await api.execute(stream, deposit(5), named(table));
    assertProblem(failed, 500, "storage_failed");
    await api.server.sql(stream, "DROP TRIGGER refuse");
    const refused = assertProblem(await api.execute(stream, withdraw(11)), 422, "command_rejected");
    assert.deepEqual(refused.rejection, { code: "insufficient_funds", data: { missing: 1 } });
  }
  const { version, replayed } = await api.executed(stream, deposit(5), named("commits_v1"));
  assert.deepEqual([version, replayed], [3, false], "no outcome of the failed command is left");
  assert.equal((await api.executed(stream, withdraw(15))).version, 4);
});

test("a command has the condition of an append", async () => {
  const stream = freshStream();
  const conflict = await api.execute(stream, open("Ada"), { "If-Match": '"3"' });
  const problem = assertProblem(conflict, 412, "wrong_expected_version");
  assert.deepEqual([problem.stream, problem.expected, problem.actual], [stream, 3, 0]);
  await api.executed(stream, open("Ada"), { "If-None-Match": "*" });
  const second = await api.execute(stream, open("Bea"), { "If-None-Match": "*" });
  assertProblem(second, 412, "wrong_expected_version");
  await api.executed(stream, deposit(1), { "If-Match": '"1"' });
  const wrong = await api.execute(stream, deposit(1), { "If-Match": "2" });
  assertProblem(wrong, 400, "invalid_expected_version", "If-Match");
});

test("a wrong command is refused with the name of its field", async () => {
  const stream = freshStream();
  for (const [command, code, field] of [
    ["{", "malformed_json", undefined],
    ["[]", "invalid_command", "command"],
    ["{}", "invalid_command", "type"],
    [{ type: 7 }, "invalid_command", "type"],
    [{ type: "Close", data: {} }, "unknown_command", "type"],
    [{ type: "toString" }, "unknown_command", "type"],
    [{ type: "Withdraw" }, "invalid_command", "data"],
    [withdraw(0.5), "invalid_command", "data.cents"],
    [{ ...withdraw(1), id: "a" }, "invalid_command", "id"],
    [{ ...withdraw(1), metadata: 7 }, "invalid_command", "metadata"],
  ] as const) {
    const reply = await api.execute(stream, command);
    assertProblem(reply, 400, code, field);
  }
  assertProblem(await api.execute("note-1", open("Ada")), 404, "no_aggregate");
  assertProblem(await api.state("note-1"), 404, "no_aggregate");
  assertProblem(
    await api.execute(stream, open("Ada"), named("")),
    400,
    "invalid_idempotency_key",
    "Idempotency-Key",
  );
  const got = await api.request(`${streamPath(stream)}/commands`);
  assertProblem(got, 405, "method_not_allowed");
});

test("the command's id and correlation go on in its events, and with its trace to the reactor's", async () => {
  const stream = freshStream();
  const trace = "00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01";
  await api.executed(stream, deposit(9));
  const headers = { ...named("c-1"), traceparent: trace };
  const { events } = await api.executed(
    stream,
    { ...withdraw(3), metadata: { by: "me" } },
    headers,
  );
  const cause = { correlationId: "c-1", causationId: "c-1", traceparent: trace };
  assert.deepEqual(events[0].metadata, cause);
  const own = { ...deposit(1), metadata: { correlationId: "x", traceparent: "own" } };
  const second = await api.executed(stream, own, { ...headers, ...named("c-2") });
  assert.deepEqual(second.events[0].metadata, {
    correlationId: "x",
    causationId: "c-2",
    traceparent: "own",
  });
  const ignored = await api.executed(stream, deposit(1), { traceparent: "not a trace" });
  assert.deepEqual(ignored.events[0].metadata, {});
  for (const end = Date.now() + 30_000; Date.now() < end;) {
    const fees = (await api.read("account-fees")).json.events;
    const found = fees.find(({ metadata }: any) => metadata.correlationId === "c-1");
    if (found === undefined) continue;
    assert.deepEqual(found.metadata, { ...cause, causationId: events[0].id });
    return;
  }
  assert.fail("the reactor has not appended");
});

test("`prepare` looks up before the decision, and a repeat is compared by what the caller has sent", async () => {
  const stream = freshStream("price");
  const ask = { type: "Price", data: { cents: 100 } };
  const first = await api.executed(stream, ask, named("a"));
  assert.ok(first.events[0].data.cents > 100);
  const again = await api.executed(stream, ask, named("a"));
  assert.deepEqual(again, { ...first, replayed: true });
  const second = await api.executed(stream, ask);
  assert.equal(
    second.events[0].data.cents,
    first.events[0].data.cents + 1,
    "the repeat has not looked",
  );
  const failed = await api.execute(stream, { type: "Price", data: { cents: -1 } });
  assertProblem(failed, 500, "decider_failed");
  assert.doesNotMatch(failed.text, /no such price/);
  assertProblem(await api.execute(stream, "{"), 400, "malformed_json");
});

test("after a crash of the engine, the object has the code of its aggregate again", async () => {
  const stream = freshStream();
  await api.executed(stream, deposit(5));
  await api.request("/crash");
  assert.equal((await api.executed(stream, deposit(2))).version, 2);
  assert.equal((await api.state(stream)).json.state.cents, 7);
});
