/** Forgotten events of a long stream are hidden at once, and removed page by page. */

import assert from "node:assert/strict";
import { test } from "node:test";

import { type Api, freshStream, numbered, priceOf, streamPath, useApi } from "../support/api.ts";

const COMMITS = 3000;
const MORE_COMMITS = `WITH RECURSIVE more (version) AS
    (SELECT 2 UNION ALL SELECT version + 1 FROM more WHERE version < ${COMMITS})
  INSERT INTO commits_v1 (version, time, hash, events)
  SELECT more.version, time, hash, events FROM more, commits_v1 AS first WHERE first.version = 1`;
const api = useApi();

/** Writes a stream of many commits into the storage of its aggregate. */
async function longStream(api: Api): Promise<string> {
  const stream = freshStream("long");
  await api.appended(stream, numbered(1));
  await api.server.sql(stream, MORE_COMMITS);
  await api.server.evict(stream);
  return stream;
}

async function versions(stream: string): Promise<unknown[]> {
  const found = await api.server.sql(stream, "SELECT version FROM commits_v1 ORDER BY version");
  return found.map(({ version }) => version);
}

test("a long stream is deleted in pages, of which nothing is left", async () => {
  const stream = await longStream(api);
  const deleted = await api.request(streamPath(stream), { method: "DELETE" });
  assert.equal(deleted.status, 204, deleted.text);
  const { written } = priceOf(deleted);
  assert.ok(written >= COMMITS + COMMITS / 1000 && written < COMMITS + 12, `${written} rows`);
  assert.deepEqual(await versions(stream), [0]);
  assert.equal((await api.request(streamPath(stream))).json.code, "stream_deleted");
});

test("a long stream is truncated page by page, and the other events stay", async () => {
  const stream = await longStream(api);
  const body = JSON.stringify({ before: COMMITS - 1 });
  const cut = await api.request(`${streamPath(stream)}/truncate`, { method: "POST", body });
  assert.deepEqual(cut.json, { stream, firstVersion: COMMITS - 1, version: COMMITS }, cut.text);
  assert.deepEqual(await versions(stream), [0, COMMITS - 1, COMMITS]);
  const { events } = (await api.read(stream)).json;
  assert.deepEqual([events[0].version, events.length], [COMMITS - 1, 2]);
});

test("the alarm removes the rows that a crash has left", async () => {
  const stream = await longStream(api);
  // The state after the first page: all events are hidden, and most of them are still stored.
  await api.server.sql(
    stream,
    "INSERT INTO commits_v1 (version, time, hash, events) SELECT 0, time, hash, ? FROM commits_v1 WHERE version = 1",
    JSON.stringify({ version: 1, hidden: COMMITS - 1, deleted: false }),
  );
  await api.server.evict(stream);
  assert.equal((await api.read(stream)).json.events.length, 1);
  // The append sets the alarm.
  await api.appended(stream, numbered(1));
  const end = Date.now() + 30_000;
  while ((await versions(stream)).length > 3) {
    assert.ok(Date.now() < end, "the rest is still there");
    await new Promise((resolve) => setTimeout(resolve, 100));
  }
  assert.deepEqual(await versions(stream), [0, COMMITS, COMMITS + 1]);
});
