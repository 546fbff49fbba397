/** Faults that no input can cause: storage that fails, and stored bytes of another program. */

import assert from "node:assert/strict";
import { test } from "node:test";

import { assertProblem, eventsPath, freshStream, numbered, useApi } from "../support/api.ts";

const api = useApi();

test("storage that fails is a 500 with a code, and the object goes on when it works again", async () => {
  const stream = freshStream();
  await api.appended(stream, numbered(1));
  await api.server.sql(stream, "ALTER TABLE commits_v1 RENAME TO away");
  for (const reply of [await api.read(stream), await api.append(stream, numbered(1))]) {
    const { detail } = assertProblem(reply, 500, "storage_failed");
    assert.match(detail, /^the storage failed: /);
  }
  assert.equal((await api.request(eventsPath(stream), { method: "HEAD" })).status, 500);
  await api.server.sql(stream, "ALTER TABLE away RENAME TO commits_v1");
  assert.equal(await api.appended(stream, numbered(1), { "If-Match": '"1"' }), 2);
});

test("a write that the database refuses leaves nothing behind", async () => {
  const stream = freshStream();
  await api.appended(stream, numbered(1));
  const refuse =
    "CREATE TRIGGER refuse BEFORE INSERT ON commits_v1 BEGIN SELECT RAISE(ABORT, 'disk full'); END";
  await api.server.sql(stream, refuse);
  const { detail } = assertProblem(await api.append(stream, numbered(2)), 500, "storage_failed");
  assert.match(detail, /disk full/);
  await api.server.sql(stream, "DROP TRIGGER refuse");
  assert.equal(await api.version(stream), 1);
  assert.equal(await api.appended(stream, numbered(2)), 3);
});

test("corrupt stored data is reported as corrupt, with the version", async () => {
  for (const events of ["", "{}", "[]", "[1]", '[{"id":"a"}]', '[{"id":"a","type":"b","data":1}']) {
    const stream = freshStream();
    await api.appended(stream, numbered(1));
    await api.server.sql(stream, "UPDATE commits_v1 SET events = ?", events);
    const { detail } = assertProblem(await api.read(stream), 500, "stored_data_corrupt");
    assert.match(detail, /version 1 /);
  }
});

test("a stream that is full", async () => {
  const stream = freshStream();
  await api.appended(stream, numbered(1));
  await api.server.sql(stream, "UPDATE commits_v1 SET version = 9007199254740990");
  await api.server.evict(stream);
  assertProblem(await api.append(stream, numbered(2)), 409, "version_exhausted");
  assert.equal(
    await api.appended(stream, numbered(1), { "If-Match": '"9007199254740990"' }),
    9_007_199_254_740_991,
  );
  assertProblem(await api.append(stream, numbered(1)), 409, "version_exhausted");
  const [last] = (await api.read(stream, "?direction=backward&limit=1")).json.events;
  assert.equal(last.version, 9_007_199_254_740_991);
  const rows = await api.server.sql(
    stream,
    "SELECT CAST(version AS TEXT) AS v, typeof(version) AS t FROM commits_v1",
  );
  assert.deepEqual(rows.at(-1), { v: "9007199254740991", t: "integer" });
});
