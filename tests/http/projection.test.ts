/**
 * Projections and reactors in a Worker of your own: documents that equal a fold over the events, and commands that take effect
 * once.
 */

import assert from "node:assert/strict";
import { fileURLToPath } from "node:url";
import { test } from "node:test";

import {
  assertProblem,
  freshStream,
  numbered,
  priceOf,
  type Reply,
  useApi,
} from "../support/api.ts";
import { settled } from "../support/consumers.ts";

const api = useApi({ entry: fileURLToPath(new URL("../support/own-worker.ts", import.meta.url)) });

function nameOf({ name }: { name: string }): string {
  return name;
}

function document(key: string, min = ""): Promise<Reply> {
  const query = min === "" ? "" : `?min=${encodeURIComponent(min)}`;
  return api.request(`/v1/projections/sums/documents/${encodeURIComponent(key)}${query}`);
}

test("a reader waits until its own write is in the document", async () => {
  const stream = freshStream("count");
  for (let n = 1; n <= 5; n += 1) {
    const version = await api.appended(stream, { type: "Counted", data: { n } });
    const reply = await document(stream, `${stream}@${version}`);
    assert.deepEqual(reply.json, { sum: (n * (n + 1)) / 2, events: n }, reply.text);
  }
});

test("definitions in code outlive a crash of the engine", async () => {
  const stream = freshStream("count");
  await api.appended(stream, { type: "Counted", data: { n: 1 } });
  assert.equal((await document(stream, `${stream}@1`)).json?.sum, 1);
  const names = async () => (await api.request("/v1/consumers")).json.consumers.map(nameOf);
  const before = await names();
  assert.equal((await api.request("/crash")).status, 200);
  assert.deepEqual(await names(), before);
  await api.appended(stream, { type: "Counted", data: { n: 2 } });
  assert.equal((await document(stream, `${stream}@2`)).json?.sum, 3);
  await settled(api, "notes");
  assert.equal(await api.version(stream.replace("count", "note")), 2);
});

test(
  "what is not there in time is said, and nobody has asked for it again and again",
  { timeout: 20_000 },
  async () => {
    const stream = freshStream("count");
    await api.appended(stream, numbered(1));
    const reply = await document(stream, `${stream}@2`);
    assertProblem(reply, 503, "projection_behind", "min");
    assert.equal(reply.headers.get("retry-after"), "1");
    assert.ok(priceOf(reply).read < 20, `${priceOf(reply).read} rows were read`);
    // The request waits for the projection, which is paused.
    assert.equal((await api.request("/v1/consumers/sums/pause", { method: "POST" })).status, 200);
    await api.appended(stream, numbered(1));
    const waiting = document(stream, `${stream}@2`);
    const behind = await document(stream, `${stream}@2`);
    assertProblem(behind, 503, "projection_behind", "min");
    assert.ok(priceOf(behind).read < 20, `${priceOf(behind).read} rows were read`);
    assertProblem(await waiting, 503, "projection_behind", "min");
    assert.equal((await api.request("/v1/consumers/sums/resume", { method: "POST" })).status, 200);
    assert.equal((await document(stream, `${stream}@2`)).status, 200);
  },
);

test(
  "who waits is told when the event comes, or the projection comes on",
  { timeout: 20_000 },
  async () => {
    const stream = freshStream("count");
    await api.appended(stream, numbered(1));
    const readers = [1, 2, 3].map(() => document(stream, `${stream}@2`));
    await api.appended(freshStream("count"), numbered(1));
    await api.appended(stream, numbered(1));
    for (const reply of await Promise.all(readers)) assert.equal(reply.json?.events, 2, reply.text);
    assert.equal((await api.request("/v1/consumers/sums/pause", { method: "POST" })).status, 200);
    await api.appended(stream, numbered(1));
    const reader = document(stream, `${stream}@3`);
    await settled(api, "sums", ({ lag }) => lag > 0);
    assert.equal((await api.request("/v1/consumers/sums/resume", { method: "POST" })).status, 200);
    assert.equal((await reader).json?.events, 3);
  },
);

test("a projection that does not exist is said before anything is waited for", async () => {
  for (const path of ["nothing/documents/key", "nothing/documents", "notes/documents/key"]) {
    const reply = await api.request(`/v1/projections/${path}?min=${freshStream("never")}@1`);
    assertProblem(reply, 404, "consumer_not_found");
  }
});

test("documents are read by key and by prefix, in pages", async () => {
  const category = freshStream("count");
  for (const n of [1, 2, 3]) await api.appended(`${category}-${n}`, numbered(n));
  const last = `${category}-3@3`;
  const page = async (query: string) => {
    const path = `/v1/projections/sums/documents?prefix=${category}&min=${last}${query}`;
    const reply = await api.request(path);
    assert.equal(reply.status, 200, reply.text);
    return reply.json;
  };
  const { documents, next } = await page("");
  assert.deepEqual(documents, [
    { key: `${category}-1`, document: { sum: 1, events: 1 } },
    { key: `${category}-2`, document: { sum: 3, events: 2 } },
    { key: `${category}-3`, document: { sum: 6, events: 3 } },
  ]);
  assert.equal(next, null);
  assert.deepEqual(await page("&limit=0"), { documents: [], next: null });
  const first = await page("&limit=2");
  assert.equal(first.documents.length, 2);
  const rest = (await api.request(first.next)).json;
  assert.deepEqual(rest.documents, documents.slice(2));
  assertProblem(await document("nothing"), 404, "document_not_found");
});

test("an unknown parameter of a read of documents or dead letters is refused by its name, before any wait", async () => {
  const never = `min=${freshStream("never")}-1@1`;
  const [documents, letters] = ["projections/sums/documents", "consumers/sums/dead-letters"];
  for (const [path, code, field] of [
    [`${documents}?${never}&limit=1001`, "page_too_large", "limit"],
    [`${documents}?${never}&limit=ten`, "invalid_parameter", "limit"],
    [`${documents}?prefix=%FF`, "invalid_parameter", "prefix"],
    [`${documents}/%FF?${never}`, "invalid_document_key", "key"],
    [`${documents}/a?min=plane-1`, "invalid_parameter", "min"],
    [`${letters}?limit=1001`, "page_too_large", "limit"],
    [`${letters}?after=x`, "invalid_parameter", "after"],
  ] as const) {
    assertProblem(await api.request(`/v1/${path}`), 400, code, field);
  }
});

test("an event that fails leaves no trace but a dead letter, and the others are in", async () => {
  const stream = freshStream("count");
  await api.appended(
    stream,
    [12, 13, 14].map((n) => ({ type: "Counted", data: { n } })),
  );
  assert.deepEqual((await document(stream, `${stream}@3`)).json, { sum: 26, events: 2 });
  const letters = "/v1/consumers/sums/dead-letters";
  assert.deepEqual((await api.request(`${letters}?limit=0`)).json, { deadLetters: [], next: null });
  const { deadLetters } = (await api.request(letters)).json;
  const letter = deadLetters.find(({ event }: any) => event.stream === stream);
  assert.deepEqual([letter.error, letter.attempts], ["RangeError: 13 is not counted", 2]);
});

test("a rebuilt projection equals the one before", async () => {
  const stream = freshStream("count");
  await api.appended(stream, numbered(40));
  const before = (await document(stream, `${stream}@40`)).json;
  const reply = await api.request("/v1/consumers/sums/rebuild", { method: "POST" });
  assert.equal(reply.status, 200, reply.text);
  for (;;) {
    assert.deepEqual((await document(stream)).json, before);
    const status = (await api.request("/v1/consumers/sums")).json;
    if (status.rebuild === null) break;
  }
  assert.deepEqual((await document(stream)).json, before);
});

test("a reactor's command takes effect once, and names its cause", async () => {
  const stream = freshStream("count");
  const metadata = { correlationId: "all of it" };
  await api.appended(stream, { type: "Counted", data: { n: 7 }, metadata });
  const [{ id }] = (await api.read(stream)).json.events;
  const note = stream.replace("count", "note");
  await settled(api, "notes");
  const { events } = (await api.read(note)).json;
  assert.deepEqual(
    events.map((event: any) => [event.type, event.data.n, event.metadata]),
    [["Noted", 7, { correlationId: "all of it", causationId: id }]],
  );
});

test("consumers in code are listed and cannot be put or deleted", async () => {
  await api.appended(freshStream("count"), numbered(1));
  const { consumers } = (await api.request("/v1/consumers")).json;
  assert.deepEqual(
    consumers.map(({ name, kind }: any) => [name, kind]),
    [
      ["notes", "reactor"],
      ["sums", "projection"],
    ],
  );
  const body = JSON.stringify({ kind: "queue", binding: "Q" });
  const put = await api.request("/v1/consumers/sums", { method: "PUT", body });
  assertProblem(put, 409, "consumer_defined_in_code");
  const removed = await api.request("/v1/consumers/sums", { method: "DELETE" });
  assertProblem(removed, 409, "consumer_defined_in_code");
  const path = "/v1/projections/notes/documents";
  assertProblem(await api.request(path), 404, "consumer_not_found");
});
