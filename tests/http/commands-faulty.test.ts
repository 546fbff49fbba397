/** Aggregates whose code is wrong: nothing is written, and the next command is unharmed. */

import assert from "node:assert/strict";
import { test } from "node:test";
import { fileURLToPath } from "node:url";
import { setTimeout as sleep } from "node:timers/promises";

import { assertProblem, freshStream, streamPath, useApi } from "../support/api.ts";

const entry = fileURLToPath(import.meta.resolve("../support/bank-worker.ts"));
const lines: string[] = [];
const api = useApi({ entry, log: (line) => lines.push(line) });

/** The processor time, in seconds, after which a decision is taken to be endless. */
const ENDLESS = 2;

const done = { type: "Do", data: {} };
/** The code and the field of each fault. */
const EXPECTED: Readonly<Record<string, readonly [code: string, field?: string]>> = {
  mutates: ["decider_failed"],
  throws: ["decider_failed"],
  "returns nothing": ["decider_failed"],
  "returns a promise": ["async_decider"],
  "is not declared": ["invalid_event", "type"],
  "has a wrong shape": ["invalid_event", "events[1].data.times"],
  "has a field too many": ["invalid_event", "data.more"],
  "has no number": ["invalid_event", "data.value"],
  "has a map": ["invalid_event", "data.value"],
  "has a bigint": ["invalid_event", "data.value"],
  "has an async schema": ["async_schema"],
  "breaks evolve": ["decider_failed"],
};

test("a wrong decision writes nothing, and the next command is unharmed", async () => {
  for (const [fault, [code, field]] of Object.entries(EXPECTED)) {
    const stream = freshStream("rogue");
    const headers = { "Idempotency-Key": "a" };
    await api.executed(stream, done);
    const reply = await api.execute(stream, { type: "Do", data: { fault } }, headers);
    assertProblem(reply, 500, code, field);
    assert.doesNotMatch(reply.text, /secret|at decide|rogue\.ts/, fault);
    assert.equal(await api.version(stream), 1, fault);
    // The fault was not remembered under the id of its command.
    const other = await api.executed(stream, done, headers);
    assert.deepEqual([other.version, other.replayed], [2, false], fault);
    assert.equal((await api.state(stream)).json.state.done, 2, fault);
  }
});

test("the log has what was thrown, with its stack", () => {
  const logged = lines.join("\n");
  assert.match(logged, /RangeError: a secret of the rogue\n +at /);
  assert.match(logged, /TypeError: a broken fold\n +at /);
});

test("the live state is equal to the replayed one where JSON changes a value", async () => {
  const stream = freshStream("rogue");
  const { events } = await api.executed(stream, { type: "Do", data: { fault: "has a date" } });
  assert.deepEqual(events[0].data, { value: "1970-01-01T00:00:00.000Z" });
  const live = (await api.state(stream)).json;
  await api.server.evict(stream);
  assert.deepEqual((await api.state(stream)).json, live);
});

test("a state that is too large for a snapshot does not stop commands", async () => {
  const stream = freshStream("rogue");
  await api.executed(stream, { type: "Grow", data: { bytes: 1_200_000 } });
  for (let n = 1; n <= 12; n += 1) await api.executed(stream, done);
  const { snapshots } = (await api.request(streamPath(stream))).json;
  assert.equal(snapshots.version, 0);
  assert.match(
    snapshots.error,
    /the state is 12000\d\d bytes long; a snapshot has at most 1048576/,
  );
  await api.server.evict(stream);
  assert.equal((await api.executed(stream, done)).version, 14);
  assert.equal((await api.state(stream)).json.state.done, 13);
});

test("a snapshot that cannot be stored does not stop commands, and the status shows it", async () => {
  const stream = freshStream("rogue");
  const statusOf = async () => (await api.request(streamPath(stream))).json.snapshots;
  for (let n = 1; n <= 5; n += 1) await api.executed(stream, done);
  const stored = await statusOf();
  assert.equal(stored.version, 5, JSON.stringify(stored));
  const refuse = "BEFORE INSERT ON snapshots_v1 BEGIN SELECT RAISE(ABORT, 'disk full'); END";
  await api.server.sql(stream, `CREATE TRIGGER refuse ${refuse}`);
  for (let n = 6; n <= 11; n += 1) assert.equal((await api.executed(stream, done)).version, n);
  const failed = await statusOf();
  assert.equal(failed.version, 5);
  assert.match(failed.error, /disk full/);
  await api.server.sql(stream, "DROP TRIGGER refuse");
  for (let n = 12; n <= 16; n += 1) await api.executed(stream, done);
  assert.deepEqual(await statusOf(), { version: 15, error: null });
  assert.equal((await api.state(stream)).json.state.done, 16);
});

/** A new stream with one stored event `Done`, as other code would have written it. */
async function storedByOtherCode(category: string, text: string): Promise<string> {
  const stream = freshStream(category);
  await api.executed(stream, done);
  const [before] = await api.server.sql(stream, "SELECT events FROM commits_v1");
  const events = String(before?.["events"]);
  const changed = events.replace('"type":"Done"', text);
  assert.notEqual(changed, events);
  await api.server.sql(stream, "UPDATE commits_v1 SET events = ?", changed);
  await api.server.evict(stream);
  return stream;
}

test("a stored event of an unknown type is an error that names it", async () => {
  const stream = await storedByOtherCode("rogue", '"type":"Gone"');
  for (const reply of [await api.execute(stream, done), await api.state(stream)]) {
    const { detail } = assertProblem(reply, 500, "unknown_event");
    for (const name of [stream, "version 1", "Gone"]) assert.ok(detail.includes(name), detail);
  }
  assert.equal(await api.version(stream), 1);
});

test("a stored event of an unknown type is skipped if the aggregate says so", async () => {
  const stream = await storedByOtherCode("tolerant", '"type":"Gone"');
  assert.deepEqual((await api.state(stream)).json.state, { done: 0 });
  assert.equal((await api.executed(stream, done)).version, 2);
  assert.deepEqual((await api.state(stream)).json.state, { done: 1 });
});

test("a stored event of newer code is an error that names it, also if unknown types are skipped", async () => {
  for (const category of ["rogue", "tolerant"]) {
    const stream = await storedByOtherCode(category, '"type":"Done","schemaVersion":4');
    for (const reply of [await api.execute(stream, done), await api.state(stream)]) {
      const { detail } = assertProblem(reply, 500, "event_too_new");
      for (const name of [stream, "version 1", "Done", "4"]) {
        assert.ok(detail.includes(name), detail);
      }
    }
    assert.equal(await api.version(stream), 1);
  }
});

test("an append with the schema version of newer code is refused", async () => {
  const stream = freshStream("tally");
  await api.appended(stream, { type: "Counted", data: { n: 1 }, schemaVersion: 1 });
  const newer = { type: "Counted", data: { n: 1 }, schemaVersion: 4 };
  assertProblem(await api.append(stream, newer), 400, "invalid_event", "schemaVersion");
});

test("a decision that never returns writes nothing, and the next command is decided after the object has ended", async () => {
  const stream = freshStream("rogue");
  const headers = { "Idempotency-Key": "a" };
  await api.executed(stream, done);
  const before = await api.server.busy();
  const endless = { type: "Do", data: { fault: "never returns" } };
  const answer = api.execute(stream, endless, headers).catch(() => "no answer");
  const other = api.execute(stream, done).catch(() => "no answer");
  while ((await api.server.busy()) < before + ENDLESS) await sleep(50);
  // The platform limits the processor time of an object. The local runtime does not, so the test ends it.
  await api.server.kill();
  assert.deepEqual(await Promise.all([answer, other]), ["no answer", "no answer"]);
  await api.server.restart();
  assert.equal(await api.version(stream), 1);
  const next = await api.executed(stream, done, headers);
  assert.deepEqual([next.version, next.replayed], [2, false]);
  assert.equal((await api.state(stream)).json.state.done, 2);
});
