/** A stream as a whole: its head, its verification, its truncation and its deletion. */

import assert from "node:assert/strict";
import { test } from "node:test";

import {
  assertProblem,
  freshStream,
  type HeaderValues,
  numbered,
  type Reply,
  streamPath,
  useApi,
} from "../support/api.ts";

const api = useApi();

const summary = (stream: string, headers: HeaderValues = {}) =>
  api.request(streamPath(stream), { headers });
const verify = (stream: string) => api.request(`${streamPath(stream)}/verify`);
const truncate = (stream: string, body: unknown, headers: HeaderValues = {}) =>
  api.request(`${streamPath(stream)}/truncate`, {
    method: "POST",
    body: typeof body === "string" ? body : JSON.stringify(body),
    headers,
  });
const remove = (stream: string, headers: HeaderValues = {}) =>
  api.request(streamPath(stream), { method: "DELETE", headers });

async function versions(stream: string, query = ""): Promise<number[]> {
  const { events } = (await api.read(stream, query)).json;
  return events.map((event: any) => event.version);
}

/** A stream with commits of two, three and one event. */
async function sixEvents(): Promise<string> {
  const stream = freshStream();
  for (const [count, from] of [
    [2, 1],
    [3, 3],
    [1, 6],
  ] as const) {
    await api.appended(stream, numbered(count, from));
  }
  return stream;
}

function assertIntact(reply: Reply): any {
  assert.equal(reply.status, 200, reply.text);
  assert.equal(reply.json.intact, true, reply.text);
  assert.deepEqual(Object.keys(reply.json), ["intact", "version", "head", "commits"]);
  assert.match(reply.json.head, /^[0-9a-f]{64}$/);
  return reply.json;
}

test("the summary: where a stream begins and ends", async () => {
  const stream = await sixEvents();
  const reply = await summary(stream);
  assert.equal(reply.status, 200);
  const { time } = (await api.read(stream, "?from=6")).json.events[0];
  assert.deepEqual(reply.json, { stream, version: 6, firstVersion: 1, time, deleted: false });
  assert.equal(reply.headers.get("etag"), '"6"');
  assert.equal(reply.headers.get("content-type"), "application/json");
  const head = await api.request(streamPath(stream), { method: "HEAD" });
  assert.deepEqual([head.status, head.text, head.headers.get("etag")], [200, "", '"6"']);
});

test("the summary is conditional, and takes no parameters", async () => {
  const stream = await sixEvents();
  const same = await summary(stream, { "If-None-Match": '"6"' });
  assert.deepEqual([same.status, same.text, same.headers.get("etag")], [304, "", '"6"']);
  assert.equal((await summary(stream, { "If-None-Match": '"5"' })).status, 200);
  const conditional = await summary(stream, { "If-Match": '"6"' });
  assertProblem(conditional, 400, "unsupported_header", "If-Match");
  const asked = await api.request(`${streamPath(stream)}?limit=1`);
  assertProblem(asked, 400, "invalid_parameter", "limit");
  const other = await summary(stream, { Accept: "text/html" });
  assertProblem(other, 406, "not_acceptable", "Accept");
});

test("the summary of a stream that is absent is an answer to a request that allows it", async () => {
  const stream = await sixEvents();
  const { time } = (await summary(stream)).json;
  await api.request(streamPath(stream), { method: "DELETE" });
  assertProblem(await summary(stream), 410, "stream_deleted");
  const reply = await api.request(`${streamPath(stream)}?absent=true`);
  assert.deepEqual(reply.json, { stream, version: 6, firstVersion: 7, time, deleted: true });
  assert.equal(reply.headers.get("etag"), null);
  const never = freshStream();
  const empty = await api.request(`${streamPath(never)}?absent=true`);
  const none = { stream: never, version: 0, firstVersion: 1, time: null, deleted: false };
  assert.deepEqual([empty.json, empty.headers.get("etag")], [none, '"0"']);
  const wrong = await api.request(`${streamPath(stream)}?absent=yes`);
  assertProblem(wrong, 400, "invalid_parameter", "absent");
});

test("a stream that was never written is not found, however it was read", async () => {
  const stream = freshStream();
  assert.equal((await api.read(stream)).status, 200);
  assertProblem(await summary(stream), 404, "stream_not_found");
  const head = await api.request(streamPath(stream), { method: "HEAD" });
  assert.deepEqual([head.status, head.text], [404, ""]);
  const wrong = await api.request("/v1/streams/%00");
  assertProblem(wrong, 400, "invalid_stream_id", "stream");
});

test("an untouched history verifies, and its hash tells histories apart", async () => {
  const stream = await sixEvents();
  const found = assertIntact(await verify(stream));
  assert.deepEqual([found.version, found.commits], [6, 3]);
  assert.equal(assertIntact(await verify(stream)).head, found.head);
  await api.appended(stream, numbered(1));
  assert.notEqual(assertIntact(await verify(stream)).head, found.head);
  const never = assertIntact(await verify(freshStream()));
  assert.deepEqual([never.version, never.commits, never.head], [0, 0, "0".repeat(64)]);
  const head = await api.request(`${streamPath(stream)}/verify`, { method: "HEAD" });
  assert.deepEqual([head.status, head.text], [200, ""]);
});

for (const [what, statement] of [
  ["an event was changed", `UPDATE commits_v1 SET events = replace(events, '"n":4', '"n":5')`],
  ["a time was changed", "UPDATE commits_v1 SET time = time + 1 WHERE version = 5"],
  ["a key was added", "UPDATE commits_v1 SET key = 'k' WHERE version = 5"],
  ["a hash was changed", "UPDATE commits_v1 SET hash = zeroblob(32) WHERE version = 5"],
  ["events are no longer JSON", "UPDATE commits_v1 SET events = 'x' WHERE version = 5"],
] as const) {
  test(`a history that was altered does not verify: ${what}`, async () => {
    const stream = await sixEvents();
    await api.server.sql(stream, statement);
    const reply = await verify(stream);
    assert.equal(reply.status, 200, reply.text);
    assert.equal(reply.json.intact, false);
    assert.equal(reply.json.broken.version, 5);
    assert(reply.json.broken.reason.length > 0);
    assert.deepEqual([reply.json.version, reply.json.commits], [2, 1]);
  });
}

test("a commit that was removed leaves a gap that is seen", async () => {
  const stream = await sixEvents();
  await api.server.sql(stream, "DELETE FROM commits_v1 WHERE version = 5");
  const reply = await verify(stream);
  assert.deepEqual([reply.json.intact, reply.json.broken.version], [false, 6]);
});

test("truncation forgets what is before a version; the rest stays and verifies", async () => {
  const stream = await sixEvents();
  const whole = assertIntact(await verify(stream));
  for (const [before, first, commits] of [
    [1, 1, 3],
    [3, 3, 2],
    [4, 4, 2],
    [2, 4, 2],
    [6, 6, 1],
    [7, 7, 0],
  ] as const) {
    const reply = await truncate(stream, { before });
    assert.equal(reply.status, 200, reply.text);
    assert.deepEqual(reply.json, { stream, firstVersion: first, version: 6 });
    assert.deepEqual(
      await versions(stream),
      [1, 2, 3, 4, 5, 6].filter((version) => version >= first),
    );
    assert.equal((await summary(stream)).json.firstVersion, first);
    const found = assertIntact(await verify(stream));
    assert.deepEqual([found.version, found.commits, found.head], [6, commits, whole.head]);
  }
  assert.equal(await api.appended(stream, numbered(1), { "If-Match": '"6"' }), 7);
  assert.deepEqual(await versions(stream), [7]);
  assert.deepEqual(await versions(stream, "?direction=backward"), [7]);
});

test("an invalid truncation changes nothing", async () => {
  const stream = await sixEvents();
  const beyond = await truncate(stream, { before: 8 });
  assert.match(assertProblem(beyond, 400, "invalid_parameter", "before").detail, /version 6/);
  for (const [body, code, field] of [
    ["", "malformed_json"],
    ["{", "malformed_json"],
    ["7", "invalid_parameter", "before"],
    [{}, "invalid_parameter", "before"],
    [{ before: 0 }, "invalid_parameter", "before"],
    [{ before: "3" }, "invalid_parameter", "before"],
    [{ before: 1.5 }, "invalid_parameter", "before"],
    [{ before: 3, version: 3 }, "invalid_parameter", "version"],
  ] as const) {
    assertProblem(await truncate(stream, body), 400, code, field);
  }
  assert.equal((await versions(stream)).length, 6);
});

test("to forget is not conditional: a condition is refused, not passed over", async () => {
  const stream = await sixEvents();
  for (const headers of [
    { "If-Match": '"6"' },
    { "If-None-Match": "*" },
    { "Idempotency-Key": "a" },
  ] as HeaderValues[]) {
    const [field] = Object.keys(headers);
    const cut = await truncate(stream, { before: 3 }, headers);
    assertProblem(cut, 400, "unsupported_header", field);
    assertProblem(await remove(stream, headers), 400, "unsupported_header", field);
  }
  assert.equal((await versions(stream)).length, 6);
});

test("a deleted stream is gone for good", async () => {
  const stream = await sixEvents();
  const reply = await remove(stream);
  assert.deepEqual([reply.status, reply.text], [204, ""]);
  assert.equal(reply.headers.get("content-type"), null);
  assert.equal((await remove(stream)).status, 204);
  const check = async () => {
    for (const headers of [{}, { "If-None-Match": "*" }, { "If-Match": '"6"' }] as HeaderValues[]) {
      assertProblem(await api.append(stream, numbered(1), headers), 410, "stream_deleted");
    }
    assertProblem(await summary(stream), 410, "stream_deleted");
    assertProblem(await truncate(stream, { before: 1 }), 410, "stream_deleted");
    assertProblem(await api.read(stream), 410, "stream_deleted");
    assert.equal(assertIntact(await verify(stream)).commits, 0);
  };
  await check();
  const rows = await api.server.sql(stream, "SELECT version FROM commits_v1");
  assert.deepEqual(rows, [{ version: 0 }]);
  await api.server.restart();
  await check();
});

test("a name can be deleted before it is used", async () => {
  const stream = freshStream();
  assert.equal((await remove(stream)).status, 204);
  assertProblem(await api.append(stream, numbered(1)), 410, "stream_deleted");
});
