/** Idempotency-Key: a repeated append appends once. */

import assert from "node:assert/strict";
import { test } from "node:test";

import { assertProblem, freshStream, numbered, streamPath, useApi } from "../support/api.ts";

const api = useApi();
const keyed = (key: string) => ({ "Idempotency-Key": key });

test("a retry gets the first answer again, and nothing is appended", async () => {
  const stream = freshStream();
  const first = await api.append(stream, numbered(2), keyed("a"));
  assert.equal(first.status, 201, first.text);
  assert.equal(first.json.replayed, false);
  await api.appended(stream, numbered(3));
  for (let attempt = 0; attempt < 3; attempt++) {
    const retry = await api.append(stream, numbered(2), keyed("a"));
    assert.equal(retry.status, 201, retry.text);
    assert.deepEqual(retry.json, { ...first.json, replayed: true });
    assert.equal(retry.headers.get("etag"), '"2"');
  }
  assert.equal(await api.version(stream), 5);
});

test("a retry gets its answer even if its condition no longer holds", async () => {
  const stream = freshStream();
  const headers = { ...keyed("open"), "If-None-Match": "*" };
  assert.equal(await api.appended(stream, numbered(1), headers), 1);
  const retry = await api.append(stream, numbered(1), headers);
  assert.equal(retry.status, 201);
  assert.equal(retry.json.replayed, true);
});

test("an append that was refused has not used its key", async () => {
  const stream = freshStream();
  const refused = await api.append(stream, numbered(1), { ...keyed("a"), "If-Match": '"7"' });
  assertProblem(refused, 412, "wrong_expected_version");
  const reply = await api.append(stream, numbered(2), keyed("a"));
  assert.deepEqual([reply.status, reply.json.replayed], [201, false]);
});

test("other events under the same key are refused", async () => {
  const stream = freshStream();
  const event = { type: "A", data: 1, metadata: { m: 1 }, id: "one" };
  await api.appended(stream, event, keyed("a"));
  for (const other of [
    { ...event, type: "B" },
    { ...event, data: 2 },
    { ...event, metadata: {} },
    { ...event, id: "two" },
    [event, event],
  ]) {
    assertProblem(await api.append(stream, other, keyed("a")), 422, "idempotency_key_reused");
  }
  assert.equal(await api.version(stream), 1);
  assert.equal((await api.append(stream, event, keyed("a"))).json.replayed, true);
});

test("the same key is another key in another stream", async () => {
  const [one, two] = [freshStream(), freshStream()];
  await api.appended(one, numbered(1), keyed("a"));
  const reply = await api.append(two, numbered(2), keyed("a"));
  assert.deepEqual([reply.status, reply.json.replayed], [201, false]);
});

test("keys differ by every character, and quotes are a part of them", async () => {
  const stream = freshStream();
  for (const [place, key] of ["a", "A", '"a"', "a b", "a, b", "%61", "x".repeat(200)].entries()) {
    assert.equal(await api.appended(stream, numbered(1), keyed(key)), place + 1, key);
    assert.equal(await api.appended(stream, numbered(1), keyed(key)), place + 1, key);
  }
});

test("a key may be any UTF-8", async () => {
  const stream = freshStream();
  const key = Buffer.from("\u00e9\u{1f980}").toString("latin1");
  await api.appended(stream, numbered(1), keyed(key));
  assert.equal((await api.append(stream, numbered(1), keyed(key))).json.replayed, true);
  const rows = await api.server.sql(stream, "SELECT key FROM commits_v1");
  assert.deepEqual(rows, [{ key: "client\té🦀" }]);
});

test("a key that cannot be one", async () => {
  const stream = freshStream();
  // fetch sends é as one byte, which is not UTF-8.
  const replacement = Buffer.from("\ufffd").toString("latin1");
  for (const key of ["", "x".repeat(201), "a\tb", "\u00e9", replacement]) {
    const reply = await api.append(stream, numbered(1), keyed(key));
    assertProblem(reply, 400, "invalid_idempotency_key", "Idempotency-Key");
  }
  assert.equal(await api.version(stream), 0);
});

test("of 32 attempts at once under one key, one is the first and all get its answer", async () => {
  const stream = freshStream();
  const attempts = Array.from({ length: 32 }, () => api.append(stream, numbered(3), keyed("a")));
  const replies = await Promise.all(attempts);
  assert.equal(replies.filter((reply) => reply.json.replayed === false).length, 1);
  for (const reply of replies) {
    assert.deepEqual([reply.status, reply.json.version], [201, 3], reply.text);
  }
  assert.equal(await api.version(stream), 3);
});

test("a key survives a crash", async () => {
  const stream = freshStream();
  const first = await api.append(stream, numbered(2), keyed("a"));
  await api.server.kill();
  await api.server.restart();
  const retry = await api.append(stream, numbered(2), keyed("a"));
  assert.deepEqual(retry.json, { ...first.json, replayed: true });
});

test("a key is forgotten with its commit", async () => {
  const stream = freshStream();
  await api.appended(stream, numbered(2), keyed("a"));
  await api.appended(stream, numbered(1));
  const cut = await api.request(`${streamPath(stream)}/truncate`, {
    method: "POST",
    body: '{"before":3}',
  });
  assert.equal(cut.status, 200, cut.text);
  const reply = await api.append(stream, numbered(2), keyed("a"));
  assert.deepEqual([reply.json.replayed, reply.json.version], [false, 5]);
});
