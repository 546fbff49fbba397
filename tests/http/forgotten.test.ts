/** Forgotten events: validators change, and no read skips them silently. */

import assert from "node:assert/strict";
import { test } from "node:test";
import { setTimeout as sleep } from "node:timers/promises";
import { fileURLToPath } from "node:url";

import {
  assertProblem,
  eventsPath,
  freshStream,
  type HeaderValues,
  numbered,
  type Reply,
  streamPath,
  useApi,
} from "../support/api.ts";
import { Follower } from "../support/follower.ts";

const api = useApi({ entry: fileURLToPath(import.meta.resolve("../support/held-reads.ts")) });
const NDJSON = { Accept: "application/x-ndjson" };
const SSE = { Accept: "text/event-stream" };

async function truncate(stream: string, before: number): Promise<void> {
  const body = JSON.stringify({ before });
  const reply = await api.request(`${streamPath(stream)}/truncate`, { method: "POST", body });
  assert.equal(reply.status, 200, reply.text);
}

async function remove(stream: string): Promise<void> {
  assert.equal((await api.request(streamPath(stream), { method: "DELETE" })).status, 204);
}

const reads = async (): Promise<number> => (await api.request("/reads")).json;

/** Every answer with an entity tag, except the answer of an append. */
function tagged(stream: string, headers: HeaderValues): Promise<Reply[]> {
  const events = eventsPath(stream);
  const asked: [string, RequestInit][] = [
    [events, { headers }],
    [events, { method: "HEAD", headers }],
    [`${events}?limit=1&direction=backward`, { headers }],
    [events, { headers: { ...headers, ...NDJSON } }],
    [events, { method: "HEAD", headers: { ...headers, ...NDJSON } }],
    [streamPath(stream), { headers }],
    [streamPath(stream), { method: "HEAD", headers }],
  ];
  return Promise.all(asked.map(([path, init]) => api.request(path, init)));
}

test("the ETag changes with every truncation, and each that was given names its version", async () => {
  const stream = freshStream();
  await api.appended(stream, numbered(1));
  await api.appended(stream, numbered(1, 2));
  let known = '"2"';
  for (const [before, tag] of [
    [1, '"2"'],
    [2, '"2.2"'],
    [3, '"2.3"'],
  ] as const) {
    await truncate(stream, before);
    for (const reply of await tagged(stream, { "If-None-Match": known })) {
      const expected = known === tag ? 304 : 200;
      assert.deepEqual([reply.status, reply.headers.get("etag")], [expected, tag], reply.text);
    }
    for (const reply of await tagged(stream, { "If-None-Match": `"1", ${tag}` })) {
      assert.deepEqual([reply.status, reply.headers.get("etag"), reply.text], [304, tag, ""]);
    }
    const commits = `${streamPath(stream)}/commits`;
    for (const method of ["GET", "HEAD"]) {
      assert.equal((await api.request(commits, { method })).headers.get("etag"), tag);
    }
    known = tag;
  }
  let version = 2;
  for (const tag of ['"2"', '"3.2"', '"4.5"', '"5.3"']) {
    const reply = await api.append(stream, numbered(1), { "If-Match": tag });
    assert.equal(reply.status, 201, `${tag}: ${reply.text}`);
    version += 1;
    assert.equal(reply.headers.get("etag"), `"${version}"`);
  }
  const conflict = await api.append(stream, numbered(1), { "If-Match": '"5.3"' });
  assert.equal(assertProblem(conflict, 412, "wrong_expected_version").actual, 6);
  for (const tag of ['"6.1"', '"6.0"', '"6.8"', '"6."', '"6.03"', 'W/"6.3"', '"6.3.3"', "6.3"]) {
    const refused = await api.append(stream, numbered(1), { "If-Match": tag });
    assertProblem(refused, 400, "invalid_expected_version", "If-Match");
  }
  const page = (await api.read(stream, "", { "If-None-Match": '"6"' })).json;
  assert.deepEqual([page.version, page.events[0].version], [6, 3]);
});

test("a deleted stream is gone, whatever a reader has and asks for", async () => {
  const stream = freshStream();
  await api.appended(stream, numbered(2));
  await remove(stream);
  for (const headers of [{}, { "If-None-Match": '"2"' }, { "If-None-Match": "*" }]) {
    for (const reply of await tagged(stream, headers as HeaderValues)) {
      assert.deepEqual([reply.status, reply.headers.get("etag")], [410, null]);
      if (reply.text !== "") assertProblem(reply, 410, "stream_deleted");
    }
  }
  assertProblem(await api.read(stream, "", SSE), 410, "stream_deleted");
  const head = await api.request(eventsPath(stream), { method: "HEAD", headers: SSE });
  assert.equal(head.status, 410);
});

test("pages continue to the end that the first one promised, or are refused", async () => {
  for (const [query, before, rest] of [
    ["?limit=3", 4, [4, 5, 6]],
    ["?limit=3", 5, undefined],
    ["?limit=3&type=Counted&to=8", 9, undefined],
    ["?limit=3&direction=backward", 1, [6, 5, 4]],
    ["?limit=3&direction=backward", 2, undefined],
    ["?limit=3&direction=backward&from=4", 4, [6, 5, 4]],
    ["?limit=3&direction=backward&from=4", 5, undefined],
  ] as const) {
    const stream = freshStream();
    for (let n = 1; n <= 9; n++) await api.appended(stream, numbered(1, n));
    const { next } = (await api.read(stream, query)).json;
    await truncate(stream, before);
    const reply = await api.request(next);
    if (rest === undefined) assertProblem(reply, 410, "stream_truncated");
    else {
      const versions = reply.json.events.map((event: { version: number }) => event.version);
      assert.deepEqual(versions, rest, query);
    }
    await remove(stream);
    assertProblem(await api.request(next), 410, "stream_deleted");
  }
});

test("a read that begins on a truncated stream begins with what is left, unless it must be complete", async () => {
  const stream = freshStream();
  await api.appended(stream, numbered(4));
  await truncate(stream, 3);
  for (const [query, first] of [
    ["", 3],
    ["?from=2", 3],
    ["?from=3&complete=true", 3],
    ["?from=4&complete=true", 4],
  ] as const) {
    assert.equal((await api.read(stream, query)).json.events[0].version, first, query);
  }
  for (const query of ["?complete=true", "?from=2&complete=true"]) {
    assertProblem(await api.read(stream, query), 410, "stream_truncated");
    assertProblem(await api.read(stream, query, NDJSON), 410, "stream_truncated");
  }
  for (const [query, headers] of [
    ["?complete=false", {}],
    ["?complete=", {}],
    ["?complete=true", SSE],
  ] as [string, HeaderValues][]) {
    const refused = await api.read(stream, query, headers);
    assertProblem(refused, 400, "invalid_parameter", "complete");
  }
});

/** Holds the object's reads after the next one, calls `act` when the following read waits, and releases it. */
async function betweenTwoReads<T>(begin: () => Promise<T>, act: () => Promise<void>): Promise<T> {
  await api.request("/hold?reads=1");
  const first = (await reads()) + 1;
  const begun = await begin();
  while ((await reads()) === first) await sleep(5);
  await act();
  await api.request("/go");
  return begun;
}

async function long(): Promise<string> {
  const stream = freshStream("long");
  for (let from = 1; from <= 3000; from += 1000) await api.appended(stream, numbered(1000, from));
  return stream;
}

test("lines are cut off when their next events are forgotten", async () => {
  for (const [query, act] of [
    ["", (stream: string) => truncate(stream, 2501)],
    ["?direction=backward", (stream: string) => truncate(stream, 2)],
    ["", remove],
  ] as const) {
    const stream = await long();
    const url = new URL(`${eventsPath(stream)}${query}`, api.server.url);
    const begin = () => fetch(url, { headers: NDJSON });
    const response = await betweenTwoReads(begin, () => act(stream));
    assert.equal(response.status, 200);
    await assert.rejects(response.text(), "a part must not be taken for the whole");
  }
});

test("a follower behind a truncation continues with the events that are left; a follower of a deleted stream is disconnected", async () => {
  const stream = await long();
  const connect = (name: string) => Follower.connect(new URL(eventsPath(name), api.server.url));
  const follower = await betweenTwoReads(
    () => connect(stream),
    () => truncate(stream, 2501),
  );
  await follower.until(({ lastId }) => lastId === "3000");
  const versions = follower.events.map(({ version }) => version);
  assert.deepEqual(
    [versions.length, versions[999], versions[1000]],
    [1500, 1000, 2501],
    "1 to 1000, and 2501 to 3000",
  );
  await follower.close();
  const gone = await long();
  const other = await betweenTwoReads(
    () => connect(gone),
    () => remove(gone),
  );
  assert.equal(await other.ended, undefined);
  assert.equal(other.events.length, 1000);
});

test("a complete range with a truncated event is gone, also for HEAD and for If-None-Match", async () => {
  const stream = freshStream("gone");
  await api.appended(stream, numbered(6));
  await truncate(stream, 3);
  const path = `${eventsPath(stream)}?from=1&complete=true`;
  const tag = (await api.request(`${eventsPath(stream)}`)).headers.get("ETag") ?? "";
  assert.equal(tag, '"6.3"');
  for (const headers of [{}, NDJSON, { "If-None-Match": tag }]) {
    assertProblem(await api.request(path, { headers }), 410, "stream_truncated");
    assert.equal((await api.request(path, { method: "HEAD", headers })).status, 410);
  }
  const whole = `${eventsPath(stream)}?from=3&complete=true`;
  assert.equal((await api.request(whole, { method: "HEAD" })).status, 200);
  assert.equal((await api.request(whole, { headers: { "If-None-Match": tag } })).status, 304);
});
