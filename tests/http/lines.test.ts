/** GET /v1/streams/{stream}/events as NDJSON: the whole range, one event a line. */

import assert from "node:assert/strict";
import { test } from "node:test";

import {
  assertProblem,
  eventsPath,
  freshStream,
  type HeaderValues,
  numbered,
  useApi,
} from "../support/api.ts";

const NDJSON = { Accept: "application/x-ndjson" };

/** A stream of several pages, in commits of 900 events. */
const long = freshStream("long");
const LENGTH = 9000;
const api = useApi({}, async (api) => {
  for (let from = 1; from <= LENGTH; from += 900) await api.appended(long, numbered(900, from));
});

async function lines(stream: string, query = "", headers: HeaderValues = {}): Promise<any[]> {
  const reply = await api.read(stream, query, { ...NDJSON, ...headers });
  assert.equal(reply.status, 200, reply.text);
  assert.equal(reply.headers.get("content-type"), "application/x-ndjson");
  assert(reply.text === "" || reply.text.endsWith("\n"));
  return reply.text
    .split("\n")
    .slice(0, -1)
    .map((line) => JSON.parse(line));
}

const versions = async (query: string): Promise<number[]> =>
  (await lines(long, query)).map((event) => event.version);

const count = (from: number, to: number): number[] =>
  Array.from({ length: to - from + 1 }, (_, place) => from + place);

test("the whole stream, beyond any page, in order", async () => {
  const events = await lines(long);
  assert.deepEqual(
    events.map((event) => event.data.n),
    count(1, LENGTH),
  );
  assert.deepEqual(events.slice(0, 1000), (await api.read(long)).json.events);
  assert.deepEqual(await versions("?direction=backward"), count(1, LENGTH).reverse());
});

test("a reader does not notice that the object was put out of memory amid the stream", async () => {
  const stream = freshStream("large");
  const data = "x".repeat(30_000);
  const commit = Array.from({ length: 30 }, () => ({ type: "Written", data }));
  for (let commits = 0; commits < 40; commits += 1) await api.appended(stream, commit);
  const url = new URL(eventsPath(stream), api.server.url);
  const response = await fetch(url, { headers: NDJSON });
  let text = "";
  // The server reads ahead of the client only a little: between two of these lengths the object answers again.
  const lengths = [1, 12_000_000, 24_000_000];
  for await (const chunk of response.body!) {
    text += Buffer.from(chunk).toString();
    if (text.length < (lengths[0] ?? Infinity)) continue;
    lengths.shift();
    await api.server.evict(stream);
  }
  const seen = text
    .trimEnd()
    .split("\n")
    .map((line) => JSON.parse(line).version);
  assert.deepEqual(lengths, [], "it was put out each time");
  assert.deepEqual(seen, count(1, 1200));
});

test("bounds, and a limit that is the limit of all", async () => {
  assert.deepEqual(await versions("?from=1500&to=4500"), count(1500, 4500));
  assert.deepEqual(await versions("?limit=2500"), count(1, 2500));
  assert.deepEqual(await versions("?limit=1000"), count(1, 1000));
  assert.deepEqual(await versions("?limit=1"), [1]);
  assert.deepEqual(await versions("?from=8999&limit=1000000"), [8999, 9000]);
  assert.deepEqual(
    await versions("?direction=backward&to=5000&limit=1200"),
    count(3801, 5000).reverse(),
  );
  assert.deepEqual(await versions("?from=9001"), []);
  for (const query of ["?limit=0", "?to=0", "?from=3&to=2"])
    assert.deepEqual(await versions(query), []);
  assertProblem(await api.read(long, "?limit=x", NDJSON), 400, "invalid_parameter", "limit");
  assertProblem(await api.read(long, "?from=0", NDJSON), 400, "invalid_parameter", "from");
});

test("the events of one type, however far apart they lie", async () => {
  const stream = freshStream();
  for (let n = 1; n <= 6; n++) {
    await api.appended(stream, { type: "Rare", data: { n } });
    await api.appended(stream, { type: "Large", data: "x".repeat(1_000_000) });
  }
  const rare = await lines(stream, "?type=Rare");
  assert.deepEqual(
    rare.map((event) => event.data.n),
    [1, 2, 3, 4, 5, 6],
  );
  assert.equal((await lines(stream, "?type=Rare&limit=2")).length, 2);
  assert.equal((await lines(stream, "?type=Large")).length, 6);
});

test("an empty stream is no lines", async () => {
  assert.deepEqual(await lines(freshStream()), []);
});

test("the ETag is the version that was read, also where events were appended meanwhile", async () => {
  const stream = freshStream();
  for (let n = 0; n < 8; n++) {
    await api.appended(stream, { type: "Large", data: "x".repeat(1_000_000) });
  }
  const response = await fetch(new URL(eventsPath(stream), api.server.url), { headers: NDJSON });
  assert.equal(response.headers.get("etag"), '"8"');
  await api.appended(stream, numbered(1));
  assert.equal((await response.text()).split("\n").length - 1, 8);
});

test("conditions and HEAD are those of a page", async () => {
  const etag = `"${LENGTH}"`;
  const same = await api.read(long, "", { ...NDJSON, "If-None-Match": etag });
  assert.deepEqual([same.status, same.text], [304, ""]);
  assert.equal((await lines(long, "?limit=1", { "If-None-Match": '"1"' })).length, 1);
  const head = await api.request(eventsPath(long), { method: "HEAD", headers: NDJSON });
  assert.deepEqual([head.status, head.text, head.headers.get("etag")], [200, "", etag]);
  assert.equal(head.headers.get("content-type"), "application/x-ndjson");
});

test("an event is one line even where its data is not, and is the same JSON", async () => {
  const stream = freshStream();
  const data = '{ "a" :\t[ 1,\n 2,\r\n12345678901234567890 ],"b":"\\n\\r\u2028"}';
  await api.append(stream, `[{"type":"A","data":${data}},{"type":"B"}]`);
  const { text } = await api.read(stream, "", NDJSON);
  assert.equal(text.split("\n").length - 1, 2);
  assert(text.includes(data.replace(/[\r\n]/g, " ")), text);
});

test("Accept decides: the most wanted form, and JSON without a preference", async () => {
  for (const [accept, type] of [
    ["application/x-ndjson;q=0.5, application/json;q=0.4", "application/x-ndjson"],
    ["application/x-ndjson;q=0.4, application/json;q=0.5", "application/json"],
    ["application/x-ndjson, */*", "application/x-ndjson"],
    ["application/x-ndjson, application/json", "application/json"],
    ["*/*", "application/json"],
    ["application/json;q=0, application/*", "application/x-ndjson"],
  ] as const) {
    const reply = await api.read(long, "?limit=1", { Accept: accept });
    assert.equal(reply.headers.get("content-type"), type, accept);
  }
  const neither = await api.read(long, "", { Accept: "application/x-ndjson;q=0, text/html" });
  assert.match(assertProblem(neither, 406, "not_acceptable", "Accept").detail, /x-ndjson/);
});

test("a mistake at the beginning is a problem; one amid the lines cuts them off", async () => {
  const stream = freshStream();
  for (let n = 0; n < 3; n++) await api.appended(stream, numbered(1000, 1 + 1000 * n));
  await api.server.sql(stream, "UPDATE commits_v1 SET events = '' WHERE version = 3000");
  const first = await api.read(stream, "?from=2001", NDJSON);
  assertProblem(first, 500, "stored_data_corrupt");
  const response = await fetch(new URL(eventsPath(stream), api.server.url), { headers: NDJSON });
  assert.equal(response.status, 200);
  await assert.rejects(response.text(), "a reader must not take a part for the whole");
  assert.equal((await lines(stream, "?to=2000")).length, 2000);
});

test("a reader that goes away leaves nothing behind", async () => {
  const cancel = new AbortController();
  const url = new URL(eventsPath(long), api.server.url);
  const response = await fetch(url, { headers: NDJSON, signal: cancel.signal });
  const reader = response.body!.getReader();
  assert.equal((await reader.read()).done, false);
  cancel.abort();
  await assert.rejects(reader.read());
  assert.equal((await lines(long, "?from=8000")).length, 1001);
});
