/** POST /v1/streams/{stream}/events */

import assert from "node:assert/strict";
import { test } from "node:test";

import { freshStream, numbered, streamPath, useApi } from "../support/api.ts";

const api = useApi();

test("the first event of a stream", async () => {
  const stream = freshStream();
  const before = Date.now();
  const reply = await api.append(stream, { type: "Opened", data: { owner: "Ada" } });
  assert.equal(reply.status, 201);
  assert.equal(reply.headers.get("etag"), '"1"');
  assert.equal(reply.headers.get("content-type"), "application/json");
  assert.equal(reply.headers.get("cache-control"), "no-store, no-transform");
  const { time, ids, ...rest } = reply.json;
  assert.deepEqual(rest, { stream, firstVersion: 1, version: 1, replayed: false });
  assert.deepEqual(
    ids,
    (await api.read(stream)).json.events.map((event: { id: string }) => event.id),
  );
  assert.match(time, /^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{3}Z$/);
  assert(Date.parse(time) >= before - 1000 && Date.parse(time) <= Date.now() + 1000, time);
});

test("an array is one commit: consecutive versions, one time", async () => {
  const stream = freshStream();
  await api.appended(stream, numbered(2));
  const reply = await api.append(stream, numbered(3, 3));
  assert.equal(reply.status, 201);
  assert.equal(reply.json.firstVersion, 3);
  assert.equal(reply.json.version, 5);
  assert.equal(reply.headers.get("etag"), '"5"');
  const { events } = (await api.read(stream)).json;
  assert.deepEqual(
    events.map((event: any) => [event.version, event.data.n]),
    [1, 2, 3, 4, 5].map((n) => [n, n]),
  );
  assert.deepEqual(
    new Set(events.slice(2).map((event: any) => event.time)),
    new Set([reply.json.time]),
  );
});

test("a byte order mark before the body is passed over", async () => {
  const stream = freshStream();
  const event = '{"type":"A","data":"\ufeff"}';
  for (const contentType of ["application/json", "application/jsonl"]) {
    const reply = await api.append(stream, `\ufeff${event}`, { "Content-Type": contentType });
    assert.equal(reply.status, 201, reply.text);
  }
  const body = '\ufeff{"before":2}';
  const cut = await api.request(`${streamPath(stream)}/truncate`, { method: "POST", body });
  assert.equal(cut.status, 200, cut.text);
  const { events } = (await api.read(stream)).json;
  assert.deepEqual(
    events.map((event: any) => event.data),
    ["\ufeff"],
  );
});

test("NDJSON is one commit too; empty lines are passed over", async () => {
  const stream = freshStream();
  const body = '{"type":"A","data":1}\n\n{"type":"B"}\r\n{"type":"C","data":[]}\n';
  const contentTypes = [
    "application/x-ndjson",
    "Application/X-NDJSON; charset=utf-8",
    "application/ndjson",
    "application/jsonl",
    "application/jsonl; charset=utf-8",
  ];
  for (const contentType of contentTypes) {
    const reply = await api.append(stream, body, { "Content-Type": contentType });
    assert.equal(reply.status, 201, reply.text);
  }
  const { events } = (await api.read(stream)).json;
  assert.deepEqual(
    events.map((event: any) => event.type),
    contentTypes.flatMap(() => ["A", "B", "C"]),
  );
  assert.deepEqual(
    events.slice(0, 3).map((event: any) => event.data),
    [1, null, []],
  );
});

test("data and metadata have defaults, and an id is made", async () => {
  const stream = freshStream();
  await api.appended(stream, [{ type: "A" }, { type: "B" }]);
  const { events } = (await api.read(stream)).json;
  for (const event of events) {
    assert.equal(event.data, null);
    assert.deepEqual(event.metadata, {});
    assert.match(event.id, /^[0-9a-f]{8}-[0-9a-f]{4}-7[0-9a-f]{3}-[89ab][0-9a-f]{3}-[0-9a-f]{12}$/);
  }
  assert(events[0].id < events[1].id, "ids of one commit sort in its order");
});

test("an id and metadata of the caller's own", async () => {
  const stream = freshStream();
  const event = {
    type: "Opened",
    id: "order/1 é",
    data: 1,
    metadata: { correlationId: "c-1", deep: { a: [1] } },
  };
  await api.appended(stream, event);
  const [read] = (await api.read(stream)).json.events;
  const { stream: name, version, time, ...rest } = read;
  assert.deepEqual(rest, event);
  assert.equal(name, stream);
  assert.equal(version, 1);
  assert.equal(typeof time, "string");
});

test("names that need encoding", async () => {
  for (const name of ["a/b", "a b", "a%2Fb", "é-ñ-🦀", "?#&+", "a;b=c", "..a", "%"]) {
    const stream = `${freshStream()}${name}`;
    const reply = await api.append(stream, { type: "A" });
    assert.equal(reply.status, 201, `${name}: ${reply.text}`);
    assert.equal(reply.json.stream, stream);
    const page = await api.read(stream);
    assert.equal(page.json.stream, stream);
    assert.equal(page.json.events[0].stream, stream);
  }
});

test("streams do not see each other", async () => {
  const [one, other] = [freshStream(), freshStream()];
  await api.appended(one, numbered(3));
  assert.equal(await api.version(other), 0);
  assert.equal(await api.appended(other, { type: "A" }), 1);
});

test("a body sent in pieces, without its length", async () => {
  const stream = freshStream();
  const pieces = ['[{"type":"A"', ',"data":"é', '"},{"type"', ':"B"}]'].map((text) =>
    new TextEncoder().encode(text),
  );
  const body = new ReadableStream({
    async pull(controller) {
      const piece = pieces.shift();
      await new Promise((resolve) => setTimeout(resolve, 5));
      if (piece === undefined) controller.close();
      else controller.enqueue(piece);
    },
  });
  const reply = await api.request(`/v1/streams/${stream}/events`, {
    method: "POST",
    body,
    duplex: "half",
  } as RequestInit);
  assert.equal(reply.status, 201, reply.text);
  assert.equal((await api.read(stream)).json.events[0].data, "é");
});

test("one row a commit, whatever the number of its events", async () => {
  const stream = freshStream();
  await api.appended(stream, numbered(100));
  await api.appended(stream, numbered(1));
  const rows = await api.server.sql(
    stream,
    "SELECT version, typeof(version) AS versionType, typeof(time) AS timeType FROM commits_v1 ORDER BY version",
  );
  const integer = { versionType: "integer", timeType: "integer" };
  assert.deepEqual(rows, [
    { version: 100, ...integer },
    { version: 101, ...integer },
  ]);
});

test("time never goes back within a stream", async () => {
  const stream = freshStream();
  await api.appended(stream, { type: "A" });
  const future = Date.parse("2199-01-01T00:00:00.000Z");
  await api.server.sql(stream, "UPDATE commits_v1 SET time = ?", future);
  await api.server.evict(stream);
  const reply = await api.append(stream, { type: "B" });
  assert.equal(reply.json.time, "2199-01-01T00:00:00.000Z");
});
