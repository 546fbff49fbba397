/** States: at a version, at a time, and from events of every schema version. */

import assert from "node:assert/strict";
import { test } from "node:test";
import { fileURLToPath } from "node:url";
import { setTimeout as sleep } from "node:timers/promises";

import { assertProblem, freshStream, priceOf, streamPath, useApi } from "../support/api.ts";

const entry = fileURLToPath(import.meta.resolve("../support/bank-worker.ts"));
const api = useApi({ entry });

const count = (n: number) => ({ type: "Count", data: { n } });
const sumAt = async (stream: string, query: string) => {
  const reply = await api.state(stream, query);
  assert.equal(reply.status, 200, reply.text);
  assert.equal(reply.headers.get("etag"), `"${reply.json.version}"`);
  return [reply.json.version, reply.json.state.sum];
};

test("the state at every version is the fold up to it, also before newer snapshots", async () => {
  const stream = freshStream("tally");
  for (let n = 1; n <= 25; n += 1) await api.executed(stream, count(n));
  for (let version = 0; version <= 25; version += 1) {
    const expected = [version, (version * (version + 1)) / 2];
    assert.deepEqual(await sumAt(stream, `?version=${version}`), expected);
  }
  assert.deepEqual(await sumAt(stream, ""), [25, 325]);
  for (const beyond of ["26", "9007199254740992", "99999999999999999999999"]) {
    const query = `?version=${beyond}`;
    assertProblem(await api.state(stream, query), 400, "invalid_parameter", "version");
  }
});

test("the state at a time is that of the last event up to then", async () => {
  const stream = freshStream("tally");
  const times: number[] = [];
  for (let n = 1; n <= 4; n += 1) {
    times.push(Date.parse((await api.executed(stream, count(n))).time));
    await sleep(20);
  }
  for (const [place, time] of times.entries()) {
    const sums = [0, 1, 3, 6, 10];
    const expected = [place + 1, sums[place + 1]];
    assert.deepEqual(await sumAt(stream, `?time=${time}`), expected);
    const text = new Date(time + 1).toISOString();
    assert.deepEqual(await sumAt(stream, `?time=${text}`), expected);
    const zoned = text.replace("Z", encodeURIComponent("+00:00"));
    assert.deepEqual(await sumAt(stream, `?time=${zoned}`), expected);
    assert.deepEqual(await sumAt(stream, `?time=${time - 1}`), [place, sums[place]]);
  }
  for (const wrong of ["?time=yesterday", "?time=", "?time=1&version=1"]) {
    assertProblem(await api.state(stream, wrong), 400, "invalid_parameter", "time");
  }
  assert.deepEqual(await sumAt(stream, "?time=99999999999999999999"), [4, 10]);
  assertProblem(await api.state(stream, "?version=x"), 400, "invalid_parameter", "version");
  assertProblem(await api.state(stream, "?at=1"), 400, "invalid_parameter", "at");
  const cached = await api.state(stream, "", { "If-None-Match": '"4"' });
  assertProblem(cached, 400, "unsupported_header", "If-None-Match");
});

test("a stream without events has the initial state, and a deleted stream has none", async () => {
  const stream = freshStream("tally");
  assert.deepEqual(await sumAt(stream, ""), [0, 0]);
  await api.executed(stream, count(1));
  assert.equal((await api.request(streamPath(stream), { method: "DELETE" })).status, 204);
  assertProblem(await api.state(stream), 410, "stream_deleted");
  assertProblem(await api.execute(stream, count(1)), 410, "stream_deleted");
});

test("without the truncated history, a state comes from a snapshot or is not available", async () => {
  const stream = freshStream("tally");
  for (let n = 1; n <= 15; n += 1) await api.executed(stream, count(n));
  const init = { method: "POST", body: '{"before":9}' };
  assert.equal((await api.request(`${streamPath(stream)}/truncate`, init)).status, 200);
  await api.server.evict(stream);
  assert.deepEqual(await sumAt(stream, ""), [15, 120]);
  assert.deepEqual(await sumAt(stream, "?version=12"), [12, 78]);
  assertProblem(await api.state(stream, "?version=9"), 409, "state_unavailable");
});

test("a cold state is read from the newest snapshot and the events after it", async () => {
  const stream = freshStream("tally");
  for (let n = 1; n <= 73; n += 1) await api.executed(stream, count(1));
  await api.server.evict(stream);
  const reply = await api.state(stream);
  assert.deepEqual(reply.json.state, { sum: 73 });
  assert.ok(priceOf(reply).read < 40, `${priceOf(reply).read} rows were read`);
});

test("events of older schema versions are upcast for the state, and stay as they are for readers", async () => {
  const stream = freshStream();
  await api.executed(stream, { type: "Deposit", data: { cents: 5 } });
  await api.appended(stream, { type: "Deposited", data: { cents: 1 } });
  await api.server.sql(
    stream,
    `UPDATE commits_v1 SET events = replace(events, '"schemaVersion":2,"data":{"cents":1}', '"data":{"amount":3}')`,
  );
  await api.server.evict(stream);
  const { events } = (await api.read(stream)).json;
  assert.deepEqual(
    events.map(({ schemaVersion, data }: any) => [schemaVersion, data]),
    [
      [2, { cents: 5 }],
      [undefined, { amount: 3 }],
    ],
  );
  assert.equal((await api.state(stream)).json.state.cents, 305);
});
