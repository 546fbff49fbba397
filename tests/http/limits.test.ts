/** Every limit at its edge: the largest accepted value, and the smallest refused one. */

import assert from "node:assert/strict";
import { randomUUID } from "node:crypto";
import { test } from "node:test";

import { assertProblem, eventsPath, freshStream, numbered, useApi } from "../support/api.ts";

const api = useApi();
const MIB = 1024 * 1024;

/** A text of this number of bytes. All its characters have two bytes, except perhaps the last one. */
function twoByteText(bytes: number): string {
  return "é".repeat(Math.floor(bytes / 2)) + "x".repeat(bytes % 2);
}

async function assertStored(stream: string, version: number): Promise<void> {
  assert.equal(await api.version(stream), version);
}

for (const [kind, text] of [
  ["one", (bytes: number) => "x".repeat(bytes)],
  ["two", twoByteText],
  ["four", (bytes: number) => "🦀".repeat(bytes / 4) + "x".repeat(bytes % 4)],
] as const) {
  test(`a stream id, an event type and an event id of 200 bytes, in characters of ${kind}`, async () => {
    const stream = text(200);
    const event = { type: text(200), id: text(200) };
    assert.equal(await api.appended(stream, event), 1);
    const [read] = (await api.read(stream)).json.events;
    assert.deepEqual([read.stream, read.type, read.id], [stream, event.type, event.id]);
  });

  test(`and not of 201 bytes, in characters of ${kind}`, async () => {
    assertProblem(await api.append(text(201), { type: "A" }), 400, "invalid_stream_id", "stream");
    assertProblem(await api.read(text(201)), 400, "invalid_stream_id", "stream");
    const stream = freshStream();
    assertProblem(await api.append(stream, { type: text(201) }), 400, "invalid_event_type", "type");
    assertProblem(
      await api.append(stream, [{ type: "A", id: text(201) }]),
      400,
      "invalid_event_id",
      "events[0].id",
    );
    await assertStored(stream, 0);
  });
}

test("1,024 events in an append, not 1,025", async () => {
  const stream = freshStream();
  assertProblem(await api.append(stream, numbered(1025)), 413, "too_many_events", "events");
  const ndjson = numbered(1025).map((event) => JSON.stringify(event));
  const headers = { "Content-Type": "application/x-ndjson" };
  assertProblem(
    await api.append(stream, ndjson.join("\n"), headers),
    413,
    "too_many_events",
    "events",
  );
  await assertStored(stream, 0);
  assert.equal(await api.appended(stream, numbered(1024)), 1024);
});

test("metadata of 16 KiB, not one byte more", async () => {
  const stream = freshStream();
  const metadata = (bytes: number) => ({
    type: "A",
    metadata: { note: "x".repeat(bytes - '{"note":""}'.length) },
  });
  assertProblem(
    await api.append(stream, metadata(16 * 1024 + 1)),
    413,
    "metadata_too_large",
    "metadata",
  );
  assertProblem(
    await api.append(stream, [metadata(16 * 1024 + 1)]),
    413,
    "metadata_too_large",
    "events[0].metadata",
  );
  await assertStored(stream, 0);
  assert.equal(await api.appended(stream, metadata(16 * 1024)), 1);
});

/** The stored parts of an event beside its data, if the server makes the id. */
const FRAME = `{"id":"${randomUUID()}","type":"A","data":""}`.length;

test("a commit of exactly 1 MiB as it is stored, not one byte more", async () => {
  const stream = freshStream();
  const event = (bytes: number) => ({ type: "A", data: "x".repeat(bytes - FRAME) });
  const whole = MIB - "[]".length;
  assertProblem(await api.append(stream, event(whole + 1)), 413, "commit_too_large", "events");
  await assertStored(stream, 0);
  assert.equal(await api.appended(stream, event(whole)), 1);
  const [read] = (await api.read(stream)).json.events;
  assert.equal(read.data.length, whole - FRAME);
  const [half, rest] = [MIB / 2, MIB / 2 - "[,]".length];
  const halves = [event(half), event(rest + 1)];
  assertProblem(await api.append(stream, halves), 413, "commit_too_large", "events");
  assert.equal(await api.appended(stream, [event(half), event(rest)]), 3);
  const sizes = await api.server.sql(stream, "SELECT length(events) AS bytes FROM commits_v1");
  assert.deepEqual(sizes, [{ bytes: MIB }, { bytes: MIB }]);
});

test("characters count in bytes of UTF-8", async () => {
  const stream = freshStream();
  const event = (bytes: number) => ({ type: "A", data: twoByteText(bytes - FRAME) });
  const whole = MIB - "[]".length;
  assertProblem(await api.append(stream, event(whole + 1)), 413, "commit_too_large", "events");
  assert.equal(await api.appended(stream, event(whole)), 1);
});

test("a body of 2 MiB is read, one byte more is not", async () => {
  const stream = freshStream();
  const body = (bytes: number) => '{"type":"A"}'.padEnd(bytes);
  assertProblem(await api.append(stream, body(2 * MIB + 1)), 413, "body_too_large");
  await assertStored(stream, 0);
  assert.equal(await api.appended(stream, body(2 * MIB)), 1);
});

test("a body of unknown length is given up as soon as it is too large", async () => {
  const stream = freshStream();
  let bytes = 0;
  let finish = () => {};
  const body = new ReadableStream({
    pull(controller) {
      finish = () => controller.close();
      // Then it neither continues nor ends.
      if (bytes > 2 * MIB) return;
      bytes += 65_536;
      controller.enqueue(new Uint8Array(65_536).fill(32));
    },
  });
  const reply = await api.request(eventsPath(stream), {
    method: "POST",
    body,
    duplex: "half",
  } as RequestInit);
  finish();
  assertProblem(reply, 413, "body_too_large");
  await assertStored(stream, 0);
});

test("a page of 1,000 events, not of 1,001", async () => {
  const stream = freshStream();
  assert.equal((await api.read(stream, "?limit=1000")).status, 200);
  assertProblem(await api.read(stream, "?limit=1001"), 400, "page_too_large", "limit");
});
