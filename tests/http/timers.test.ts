/** Timers: commands that an aggregate sends to itself at a time, durable with the events of the decision. */

import assert from "node:assert/strict";
import { test } from "node:test";
import { fileURLToPath } from "node:url";

import { EventStore } from "sillok";

import { all } from "../package/check.ts";
import { assertProblem, freshStream, priceOf, streamPath, useApi } from "../support/api.ts";
import {
  eventsUntil,
  keysRung,
  passTime,
  timersOf,
  until,
  untilParked,
} from "../support/timers.ts";

const entry = fileURLToPath(import.meta.resolve("../support/bell-worker.ts"));
const lines: string[] = [];
const api = useApi({ entry, log: (line) => lines.push(line) });

const HOUR = 60 * 60 * 1000;
/** The time to a timer that must not run before the test has done more, in milliseconds. */
const LEAD = 1500;
/** The time after which the alarm repeats work that was due, in milliseconds. */
const BACKSTOP = 5000;
const set = (key: string, at: number, rest: object = {}) => ({
  type: "Set",
  data: { at, ring: { key, ...rest } },
});
const cancel = (key: string) => ({ type: "Cancel", data: { key } });
const note = (n: number) => ({ type: "Note", data: { n } });
const mend = { type: "Mend", data: {} };
const many = (count: number, at: number) => ({ type: "SetMany", data: { count, at } });
const rung = (events: any[]) => keysRung(events).length;
const timerPath = (stream: string, key: string) =>
  `${streamPath(stream)}/timers/${encodeURIComponent(key)}`;
const retry = (stream: string, key: string) =>
  api.request(`${timerPath(stream, key)}/retry`, { method: "POST" });

test("a timer is listed with its command until it is due", async () => {
  const stream = freshStream("bell");
  const at = Date.now() + HOUR;
  await api.executed(stream, { ...set("a", at), metadata: { correlationId: "c-1" } });
  const [timer, ...others] = await timersOf(api, stream);
  assert.deepEqual(others, []);
  assert.deepEqual(timer, {
    key: "a",
    due: new Date(at).toISOString(),
    command: { type: "Ring", data: { key: "a" }, metadata: { correlationId: "c-1" } },
    state: "due",
    failedAttempts: 0,
  });
});

test("a timer runs at its time, once, with the correlation of its cause", async () => {
  const stream = freshStream("bell");
  const at = Date.now() + 300;
  await api.executed(stream, { ...set("a", at), metadata: { correlationId: "c-1" } });
  const events = await eventsUntil(api, stream, (events) => rung(events) > 0);
  const rang = events.at(-1);
  assert(rang.data.now >= at, `${rang.data.now - at} ms`);
  assert(Date.parse(rang.time) >= at);
  assert.equal(rang.metadata.correlationId, "c-1");
  assert.deepEqual(await timersOf(api, stream), []);
  await api.server.evict(stream);
  await api.executed(stream, note(1));
  assert.equal(await api.version(stream), 3);
});

test("a time in the past runs at once", async () => {
  const stream = freshStream("bell");
  const before = Date.now();
  for (const at of [0, before - HOUR]) await api.executed(stream, set(`${at}`, at));
  const events = await eventsUntil(api, stream, (events) => rung(events) === 2);
  const late = Date.parse(events.at(-1).time) - before;
  assert(late < BACKSTOP, `${late} ms`);
});

test("a key that is set again replaces the timer", async () => {
  const stream = freshStream("bell");
  const later = Date.now() + LEAD;
  await api.executed(stream, set("a", Date.now() + HOUR, { rejects: true }));
  await api.executed(stream, set("b", later - 100));
  await api.executed(stream, set("b", Date.now() + HOUR));
  await api.executed(stream, set("a", later));
  assert.equal((await timersOf(api, stream)).length, 2);
  const events = await eventsUntil(api, stream, (events) => rung(events) > 0);
  assert.deepEqual(keysRung(events), ["a"]);
  assert.deepEqual(
    (await timersOf(api, stream)).map(({ key, state }) => [key, state]),
    [["b", "due"]],
  );
});

test("a timer sets its own key again when it runs", async () => {
  const stream = freshStream("bell");
  await api.executed(stream, set("a", 0, { again: 200 }));
  const events = await eventsUntil(api, stream, (events) => rung(events) === 2);
  const [first, second] = events.filter(({ type }) => type === "Rang");
  assert(second.data.now >= first.data.now + 200);
  assert.deepEqual(await timersOf(api, stream), []);
});

test("a failed write stores neither the events nor the timer, and the alarm stays", async () => {
  const stream = freshStream("bell");
  await api.executed(stream, set("a", Date.now() + HOUR));
  const stored = await timersOf(api, stream);
  const headers = { "Idempotency-Key": "k" };
  const command = set("b", Date.now() + 200);
  for (const table of ["pending_v1", "commits_v1", "outcomes_v1"]) {
    const refuse = `BEFORE INSERT ON ${table} BEGIN SELECT RAISE(ABORT, 'disk full'); END`;
    // The table of outcomes comes with the first command under an id.
    await api.executed(stream, note(1), { "Idempotency-Key": table });
    const version = await api.version(stream);
    await api.server.sql(stream, `CREATE TRIGGER refuse ${refuse}`);
    const reply = await api.execute(stream, command, headers);
    assert(reply.status >= 500, `${table}: ${reply.text}`);
    assert.equal(await api.version(stream), version, table);
    assert.deepEqual(await timersOf(api, stream), stored, table);
    await api.server.evict(stream);
    assert.deepEqual(await timersOf(api, stream), stored, `${table}, of the new object`);
    assert.equal(await api.version(stream), version, `${table}, of the new object`);
    await api.server.sql(stream, "DROP TRIGGER refuse");
  }
  const { replayed } = await api.executed(stream, command, headers);
  assert.equal(replayed, false);
  await eventsUntil(api, stream, (events) => keysRung(events).includes("b"));
});

test("a timer whose write fails when it runs is run again later, once", async () => {
  const stream = freshStream("bell");
  await api.executed(stream, note(1));
  const refuse = "BEFORE INSERT ON commits_v1 BEGIN SELECT RAISE(ABORT, 'disk full'); END";
  await api.executed(stream, set("a", Date.now() + LEAD));
  await api.server.sql(stream, `CREATE TRIGGER refuse ${refuse}`);
  await until(
    async () => lines.join("\n"),
    (log) => /disk full/.test(log),
  );
  assert.equal((await timersOf(api, stream)).length, 1);
  assert.equal(await api.version(stream), 2);
  await api.server.sql(stream, "DROP TRIGGER refuse");
  const events = await eventsUntil(api, stream, (events) => rung(events) > 0);
  assert.equal(rung(events), 1);
  assert.deepEqual(await timersOf(api, stream), []);
});

test("a timer that is cancelled does not run", async () => {
  const stream = freshStream("bell");
  const at = Date.now() + LEAD;
  for (const key of ["command", "request", "c"]) await api.executed(stream, set(key, at));
  await api.executed(stream, cancel("command"));
  assert.equal((await api.request(timerPath(stream, "request"), { method: "DELETE" })).status, 204);
  const again = await api.request(timerPath(stream, "request"), { method: "DELETE" });
  assertProblem(again, 404, "timer_not_found");
  const events = await eventsUntil(api, stream, (events) => rung(events) > 0);
  assert.deepEqual(keysRung(events), ["c"]);
  assert.deepEqual(await timersOf(api, stream), []);
});

test("a timer that is due is cancelled before its turn by the timer before it", async () => {
  const stream = freshStream("bell");
  const at = Date.now() + LEAD;
  await api.executed(stream, set("a", at, { cancels: "b" }));
  await api.executed(stream, set("b", at));
  await api.executed(stream, set("c", at + 1));
  const events = await eventsUntil(api, stream, (events) => rung(events) === 2);
  assert.deepEqual(keysRung(events), ["a", "c"]);
});

test("a timer that is due is cancelled before its turn by a command that came before", async () => {
  const stream = freshStream("bell");
  const rows = Array.from({ length: 1000 }, (_, n) => ({ type: "Noted", data: { n } }));
  for (let n = 0; n < 5; n += 1) await api.appended(stream, rows);
  await api.executed(stream, set("a", Date.now() + HOUR));
  await passTime(api, stream);
  // While the state is loaded page by page, the alarm finds the timer due. It waits for its turn behind the command.
  const executed = await api.executed(stream, cancel("a"));
  assert.deepEqual(await timersOf(api, stream), []);
  await api.executed(stream, set("b", 0));
  const events = await eventsUntil(api, stream, (events) => rung(events) > 0);
  assert.deepEqual(keysRung(events), ["b"]);
  assert.equal(executed.version, 5002);
});

test("a timer that is rejected is done, and visible until it is removed", async () => {
  const stream = freshStream("bell");
  await api.executed(stream, set("a", 0, { rejects: true }));
  const [timer] = await until(
    () => timersOf(api, stream),
    ([timer]) => timer.state === "rejected",
  );
  assert.deepEqual(timer.rejection, { code: "quiet_please", data: { key: "a" } });
  assert.deepEqual([timer.failedAttempts, timer.nextAttempt], [0, undefined]);
  await passTime(api, stream);
  await api.executed(stream, note(1));
  assert.deepEqual(await timersOf(api, stream), [timer]);
  assertProblem(await retry(stream, "a"), 404, "timer_not_found");
  assert.equal((await api.request(timerPath(stream, "a"), { method: "DELETE" })).status, 204);
  assert.deepEqual(await timersOf(api, stream), []);
});

test("a timer that fails is attempted with growing waits, then parked, and retried by request", async () => {
  const stream = freshStream("bell");
  await api.executed(stream, set("a", 0, { throws: true }));
  const failed = (count: number) =>
    until(
      () => timersOf(api, stream),
      ([timer]) => timer.failedAttempts === count,
    );
  for (const count of [1, 2, 3]) {
    const [timer] = await failed(count);
    const wait = Date.parse(timer.nextAttempt) - Date.now();
    assert(wait <= 500 * 2 ** (count - 1), `${wait} ms after ${count} failures`);
    assert.equal(timer.state, "due");
    assert.equal(timer.lastError.code, "decider_failed");
    assert.doesNotMatch(timer.lastError.detail, /secret/);
  }
  const [parked] = await untilParked(api, stream);
  assert.deepEqual([parked.state, parked.failedAttempts], ["parked", 16]);
  assert.equal(parked.nextAttempt, undefined);
  await passTime(api, stream);
  await api.executed(stream, mend);
  assert.deepEqual(await timersOf(api, stream), [parked]);
  assert.equal((await retry(stream, "a")).status, 204);
  const events = await eventsUntil(api, stream, (events) => rung(events) > 0);
  assert.deepEqual([keysRung(events), await timersOf(api, stream)], [["a"], []]);
  assertProblem(await retry(stream, "a"), 404, "timer_not_found");
});

test("the package lists, cancels and retries timers of a server", async () => {
  const stream = freshStream("bell");
  const store = EventStore.connect(api.server.url);
  assert.deepEqual(await all(store.timers(stream)), []);
  await api.executed(stream, set("a/1", 0, { throws: true }));
  const [parked] = await untilParked(api, stream);
  await api.executed(stream, set("b", Date.now() + HOUR));
  const [first, second, ...more] = await all(store.timers(stream));
  assert.deepEqual([first, second?.key, more], [parked, "b", []]);
  assert.deepEqual(
    [await store.retryTimer(stream, "b"), await store.retryTimer(stream, "c")],
    [false, false],
  );
  assert.deepEqual(
    [await store.cancelTimer(stream, "b"), await store.cancelTimer(stream, "b")],
    [true, false],
  );
  await api.executed(stream, mend);
  assert.equal(await store.retryTimer(stream, "a/1"), true);
  const events = await eventsUntil(api, stream, (events) => rung(events) > 0);
  assert.deepEqual([keysRung(events), await all(store.timers(stream))], [["a/1"], []]);
  for (const wrong of ["", ".", "..", "a\n"]) {
    const refused = { code: "invalid_parameter", field: "key" };
    await assert.rejects(store.cancelTimer(stream, wrong), refused);
    await assert.rejects(store.retryTimer(stream, wrong), refused);
  }
});

test("a timer that always fails does not hold up the others", async () => {
  const stream = freshStream("bell");
  await api.executed(stream, set("poison", 0, { throws: true }));
  await api.executed(stream, many(100, Date.now()));
  const events = await eventsUntil(api, stream, (events) => rung(events) === 100);
  assert.equal(new Set(keysRung(events)).size, 100);
  const [poison, ...others] = await timersOf(api, stream);
  assert.deepEqual([poison.key, others], ["poison", []]);
  await api.executed(stream, note(1));
});

test("a stream has at most 1,000 timers, and rejected ones make room", async () => {
  const stream = freshStream("bell");
  await api.executed(stream, set("done", 0, { rejects: true }));
  await until(
    () => timersOf(api, stream),
    ([timer]) => timer.state === "rejected",
  );
  await api.executed(stream, many(1000, Date.now() + HOUR));
  const timers = await timersOf(api, stream);
  assert.equal(timers.length, 1000);
  assert(timers.every(({ state }) => state === "due"));
  assertProblem(await api.execute(stream, set("more", 0)), 409, "too_many_timers");
  assertProblem(await api.execute(freshStream("bell"), many(1001, 0)), 409, "too_many_timers");
  // A replaced timer is not one more.
  await api.executed(stream, set("7", Date.now() + HOUR));
  await api.executed(stream, cancel("8"));
  await api.executed(stream, set("more", Date.now() + HOUR));
  assert.equal((await timersOf(api, stream)).length, 1000);
});

test("a deleted stream has no timers", async () => {
  const stream = freshStream("bell");
  await api.executed(stream, set("a", Date.now() + 300));
  assert.equal((await api.request(streamPath(stream), { method: "DELETE" })).status, 204);
  const reply = await api.request(`${streamPath(stream)}/timers`);
  assert.deepEqual([reply.status, reply.json.timers], [200, []]);
  assert.deepEqual(await api.server.sql(stream, "SELECT * FROM pending_v1"), []);
});

test("billed rows: a timer is one row, the alarm one more where it is set, and no rows of the stream are read", async () => {
  const stream = freshStream("bell");
  // The first command makes the tables, and sets the alarm that forwards the events.
  for (const key of ["a", "b"]) await api.executed(stream, set(key, Date.now() + HOUR));
  const priced = async (command: object) => priceOf(await api.execute(stream, command));
  // The platform reads one row for each commit that it inserts.
  assert.deepEqual(await priced(note(1)), { written: 1, read: 1 });
  assert.deepEqual(await priced(set("c", Date.now() + HOUR)), { written: 2, read: 1 });
  assert.deepEqual(await priced(set("soon", Date.now() + LEAD)), { written: 3, read: 1 });
  assert.deepEqual(await priced(cancel("soon")), { written: 2, read: 2 });
});

test("billed rows: no request pays for the timers that have run", async () => {
  const stream = freshStream("bell");
  await api.executed(stream, many(50, 0));
  await eventsUntil(api, stream, (events) => rung(events) === 50);
  const { written, read } = priceOf(await api.execute(stream, note(1)));
  // One row may be the alarm.
  assert(written <= 2 && read <= 3, `${written} written, ${read} read`);
});
