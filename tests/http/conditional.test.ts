/** The stream's version is its ETag: If-Match and If-None-Match. */

import assert from "node:assert/strict";
import { test } from "node:test";

import { assertProblem, eventsPath, freshStream, numbered, useApi } from "../support/api.ts";

const NO_STREAM = { "If-None-Match": "*" };
const STREAM_EXISTS = { "If-Match": "*" };
const exactly = (version: number) => ({ "If-Match": `"${version}"` });

const twelve = freshStream("twelve");
const api = useApi({}, async (api) => {
  await api.appended(twelve, numbered(12));
});

test("an exact version holds only at that version", async () => {
  const stream = freshStream();
  assert.equal(await api.appended(stream, numbered(2), exactly(0)), 2);
  assert.equal(await api.appended(stream, numbered(1), exactly(2)), 3);
  for (const version of [0, 1, 2, 4, 9_007_199_254_740_991]) {
    const problem = assertProblem(
      await api.append(stream, numbered(1), exactly(version)),
      412,
      "wrong_expected_version",
    );
    assert.equal(problem.stream, stream);
    assert.equal(problem.expected, version);
    assert.equal(problem.actual, 3);
  }
  assert.equal(await api.version(stream), 3);
});

test("no-stream and stream-exists", async () => {
  const stream = freshStream();
  const missing = assertProblem(
    await api.append(stream, numbered(1), STREAM_EXISTS),
    412,
    "wrong_expected_version",
  );
  assert.deepEqual([missing.expected, missing.actual], ["stream-exists", 0]);
  assert.equal(await api.appended(stream, numbered(1), NO_STREAM), 1);
  const present = assertProblem(
    await api.append(stream, numbered(1), NO_STREAM),
    412,
    "wrong_expected_version",
  );
  assert.deepEqual([present.expected, present.actual], ["no-stream", 1]);
  assert.equal(await api.appended(stream, numbered(1), STREAM_EXISTS), 2);
  assert.equal(await api.appended(stream, numbered(1)), 3);
});

test("a write that did not hold stores nothing of it", async () => {
  const stream = freshStream();
  await api.append(stream, numbered(5), exactly(1));
  await api.append(stream, numbered(5), STREAM_EXISTS);
  assert.deepEqual((await api.read(stream)).json.events, []);
});

test("the ETag of a read is the If-Match of the next append", async () => {
  const stream = freshStream();
  for (let version = 0; version < 3; version++) {
    const etag = (await api.read(stream)).headers.get("etag") ?? "";
    assert.equal(await api.appended(stream, numbered(1), { "If-Match": etag }), version + 1);
  }
});

test("conditions that mean nothing are refused", async () => {
  const stream = freshStream();
  for (const tag of [
    "3",
    'W/"0"',
    '"0", "1"',
    '"00"',
    '"-1"',
    '"+0"',
    '"a"',
    '""',
    '"9007199254740992"',
    '"0',
    "**",
  ]) {
    const reply = await api.append(stream, numbered(1), { "If-Match": tag });
    assertProblem(reply, 400, "invalid_expected_version", "If-Match");
  }
  for (const tag of ['"0"', 'W/"0"', "0", '"0", *']) {
    const reply = await api.append(stream, numbered(1), { "If-None-Match": tag });
    assertProblem(reply, 400, "invalid_expected_version", "If-None-Match");
  }
  const both = await api.append(stream, numbered(1), { ...exactly(0), ...NO_STREAM });
  assertProblem(both, 400, "invalid_expected_version", "If-None-Match");
  assert.equal(await api.version(stream), 0);
});

test("a reader that has the version gets 304", async () => {
  for (const tags of ['"12"', 'W/"12"', '"11", "12"', '"a,b" , "12"', "*"]) {
    for (const method of ["GET", "HEAD"]) {
      const reply = await api.request(eventsPath(twelve), {
        method,
        headers: { "If-None-Match": tags },
      });
      assert.equal(reply.status, 304, `${method} ${tags}`);
      assert.equal(reply.text, "");
      assert.equal(reply.headers.get("etag"), '"12"');
      assert.equal(reply.headers.get("cache-control"), "no-store, no-transform");
      assert.equal(reply.headers.get("vary"), "Accept, Authorization");
      assert.equal(reply.headers.get("content-type"), null);
    }
  }
});

test("a reader that has another version gets the page", async () => {
  for (const tags of ['"11"', '"1", "2"', "12", "", '"012"']) {
    const reply = await api.read(twelve, "?limit=1", { "If-None-Match": tags });
    assert.equal(reply.status, 200, tags);
    assert.equal(reply.json.events.length, 1);
  }
});

test("an empty stream: its ETag is known, but * stands for streams that exist", async () => {
  const stream = freshStream();
  assert.equal((await api.read(stream, "", { "If-None-Match": '"0"' })).status, 304);
  assert.equal((await api.read(stream, "", { "If-None-Match": "*" })).status, 200);
});

test("a mistake in the parameters is found before the condition", async () => {
  assertProblem(
    await api.read(twelve, "?limit=x", { "If-None-Match": '"12"' }),
    400,
    "invalid_parameter",
    "limit",
  );
});

test("a read with If-Match is refused, not passed over", async () => {
  assertProblem(await api.read(twelve, "", exactly(12)), 400, "unsupported_header", "If-Match");
});
