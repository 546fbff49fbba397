/** GET and HEAD /v1/streams/{stream}/events: ranges, pages and directions. */

import assert from "node:assert/strict";
import { test } from "node:test";

import {
  assertProblem,
  eventsPath,
  freshStream,
  numbered,
  type Reply,
  useApi,
} from "../support/api.ts";

/** Ten events in commits of one, two, three and four. */
const ten = freshStream("ten");

const api = useApi({}, async (api) => {
  for (const [count, from] of [
    [1, 1],
    [2, 2],
    [3, 4],
    [4, 7],
  ] as const) {
    await api.appended(ten, numbered(count, from));
  }
});

function versions(reply: Reply): number[] {
  assert.equal(reply.status, 200, reply.text);
  for (const event of reply.json.events) assert.equal(event.version, event.data.n);
  return reply.json.events.map((event: any) => event.version);
}

/** Follows `next` to the end, and returns the versions of each page. */
async function pages(query: string): Promise<number[][]> {
  const found = [];
  let path: string | null = `${eventsPath(ten)}${query}`;
  while (path !== null) {
    const reply = await api.request(path);
    found.push(versions(reply));
    assert.equal(reply.json.version, 10);
    path = reply.json.next;
    assert(path === null || path.startsWith(`/v1/streams/${ten}/events?`), `${path}`);
    assert(found.length < 100, "paging does not end");
  }
  return found;
}

test("a page has the stream, its version, the events and where to go on", async () => {
  const reply = await api.read(ten);
  assert.deepEqual(Object.keys(reply.json), ["stream", "version", "events", "next"]);
  assert.equal(reply.json.stream, ten);
  assert.equal(reply.json.version, 10);
  assert.equal(reply.json.next, null);
  assert.equal(reply.headers.get("etag"), '"10"');
  assert.equal(reply.headers.get("content-type"), "application/json");
  assert.equal(reply.headers.get("cache-control"), "no-store, no-transform");
  assert.deepEqual(Object.keys(reply.json.events[0]), [
    "stream",
    "version",
    "id",
    "type",
    "time",
    "data",
    "metadata",
  ]);
  assert.deepEqual(versions(reply), [1, 2, 3, 4, 5, 6, 7, 8, 9, 10]);
});

test("a stream that was never written is empty, and reading it stores nothing", async () => {
  const stream = freshStream();
  for (const query of ["", "?direction=backward", "?from=5&to=7"]) {
    const reply = await api.read(stream, query);
    assert.equal(reply.status, 200);
    assert.deepEqual(reply.json, { stream, version: 0, events: [], next: null });
    assert.equal(reply.headers.get("etag"), '"0"');
  }
  const [tables] = await api.server.sql(
    stream,
    "SELECT count(*) AS count FROM sqlite_master WHERE name LIKE 'commits%'",
  );
  assert.equal(tables?.["count"], 0);
});

test("bounds are inclusive, and cut through commits", async () => {
  for (const [query, expected] of [
    ["?from=1&to=1", [1]],
    ["?from=3&to=5", [3, 4, 5]],
    ["?from=5", [5, 6, 7, 8, 9, 10]],
    ["?to=2", [1, 2]],
    ["?from=10&to=10", [10]],
    ["?from=11", []],
    ["?from=8&to=9007199254740991", [8, 9, 10]],
    ["?from=9007199254740991", []],
  ] as const) {
    assert.deepEqual(versions(await api.read(ten, query)), expected, query);
    const separator = "&direction=backward";
    assert.deepEqual(
      versions(await api.read(ten, query + separator)),
      expected.toReversed(),
      query,
    );
  }
});

test("the limit counts from the end at which reading begins", async () => {
  assert.deepEqual(versions(await api.read(ten, "?limit=3")), [1, 2, 3]);
  assert.deepEqual(versions(await api.read(ten, "?limit=3&direction=backward")), [10, 9, 8]);
  assert.deepEqual(
    versions(await api.read(ten, "?limit=2&from=4&to=8&direction=backward")),
    [8, 7],
  );
  assert.deepEqual(versions(await api.read(ten, "?limit=2&direction=forward")), [1, 2]);
});

test("next leads through the range, in either direction, once through every event", async () => {
  assert.deepEqual(await pages("?limit=4"), [
    [1, 2, 3, 4],
    [5, 6, 7, 8],
    [9, 10],
  ]);
  assert.deepEqual(await pages("?limit=5"), [
    [1, 2, 3, 4, 5],
    [6, 7, 8, 9, 10],
  ]);
  assert.deepEqual(await pages("?limit=4&direction=backward"), [
    [10, 9, 8, 7],
    [6, 5, 4, 3],
    [2, 1],
  ]);
  assert.deepEqual(await pages("?from=2&to=8&limit=3"), [[2, 3, 4], [5, 6, 7], [8]]);
  assert.deepEqual(await pages("?from=2&to=8&limit=3&direction=backward"), [
    [8, 7, 6],
    [5, 4, 3],
    [2],
  ]);
  assert.deepEqual(await pages("?limit=1"), [[1], [2], [3], [4], [5], [6], [7], [8], [9], [10]]);
  assert.deepEqual(await pages("?limit=10"), [[1, 2, 3, 4, 5, 6, 7, 8, 9, 10]]);
});

test("next keeps limit, direction and bounds", async () => {
  const reply = await api.read(ten, "?limit=2&from=2&to=9&direction=backward");
  const next = new URL(reply.json.next, api.server.url);
  assert.deepEqual(Object.fromEntries(next.searchParams), {
    from: "2",
    to: "7",
    limit: "2",
    direction: "backward",
    complete: "true",
  });
});

test("next names the stream percent-encoded", async () => {
  const stream = `${freshStream()}/ü?&#%2F`;
  await api.appended(stream, numbered(2));
  const { next } = (await api.read(stream, "?limit=1")).json;
  assert.equal(next, `${eventsPath(stream)}?from=2&limit=1&complete=true`);
  assert.equal((await api.request(next)).json.events[0].version, 2);
});

test("a page is also bounded in bytes", async () => {
  const stream = freshStream();
  const data = "x".repeat(1_000_000);
  for (let n = 1; n <= 6; n++) await api.appended(stream, { type: "Large", data });
  const first = await api.read(stream);
  assert.equal(first.json.version, 6);
  assert.equal(first.json.events.length, 5);
  const rest = await api.request(first.json.next);
  assert.deepEqual(
    rest.json.events.map((event: any) => event.version),
    [6],
  );
  assert.equal(rest.json.next, null);
  const last = await api.read(stream, "?direction=backward");
  assert.equal(last.json.events.length, 5);
  assert.equal(last.json.events[0].version, 6);
});

test("a thousand events in one page, and more behind it", async () => {
  const stream = freshStream();
  await api.appended(stream, numbered(1000));
  await api.appended(stream, numbered(1, 1001));
  const reply = await api.read(stream);
  assert.equal(reply.json.events.length, 1000);
  assert.equal(reply.json.next, `/v1/streams/${stream}/events?from=1001&limit=1000&complete=true`);
  assert.deepEqual(versions(await api.request(reply.json.next)), [1001]);
});

test("HEAD is GET without the body", async () => {
  for (const path of [
    eventsPath(ten),
    `${eventsPath(ten)}?limit=1&direction=backward`,
    "/v1/health",
  ]) {
    const [head, get] = [await api.request(path, { method: "HEAD" }), await api.request(path)];
    assert.equal(head.status, 200);
    assert.equal(head.text, "");
    for (const name of ["etag", "content-type", "cache-control", "vary"]) {
      assert.equal(head.headers.get(name), get.headers.get(name), name);
    }
  }
  for (const [path, status] of [
    [`${eventsPath(ten)}?limit=x`, 400],
    ["/v1/nothing", 404],
  ] as const) {
    const head = await api.request(path, { method: "HEAD" });
    assert.equal(head.status, status);
    assert.equal(head.text, "");
  }
});

test("type keeps the events of one type", async () => {
  const stream = freshStream();
  const odd = "odd & ü/?#";
  const mixed = numbered(9).map((event) => (event.data.n % 2 ? { ...event, type: odd } : event));
  await api.appended(stream, mixed.slice(0, 5));
  await api.appended(stream, mixed.slice(5));
  const type = encodeURIComponent(odd);
  assert.deepEqual(versions(await api.read(stream, `?type=${type}`)), [1, 3, 5, 7, 9]);
  assert.deepEqual(versions(await api.read(stream, "?type=Counted")), [2, 4, 6, 8]);
  assert.deepEqual(versions(await api.read(stream, "?type=counted")), []);
  assert.deepEqual(versions(await api.read(stream, "?type=7")), []);
  const backward = `?type=${type}&direction=backward&to=8&limit=2`;
  const first = await api.read(stream, backward);
  assert.deepEqual(versions(first), [7, 5]);
  assert.equal(
    first.json.next,
    `${eventsPath(stream)}?to=4&limit=2&direction=backward&type=${type}&complete=true`,
  );
  assert.deepEqual(versions(await api.request(first.json.next)), [3, 1]);
});

test("a type that cannot be one", async () => {
  for (const type of ["", "x".repeat(201), "a%0Ab"]) {
    const reply = await api.read(ten, `?type=${type}`);
    assertProblem(reply, 400, "invalid_event_type", "type");
  }
  const twice = await api.read(ten, "?type=a&type=b");
  assertProblem(twice, 400, "invalid_parameter", "type");
});
