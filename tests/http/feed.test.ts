/** GET /v1/events: the feed, as pages and as lines. */

import assert from "node:assert/strict";
import { test } from "node:test";

import { assertProblem, freshStream, numbered, priceOf, useApi } from "../support/api.ts";
import { assertGapless, assertInOrder, feedOf, wholeFeed } from "../support/feed.ts";
import { sign } from "../support/token.ts";

const SECRET = "a secret of the tests, of more than 32 bytes";
const bearer = (token: string) => ({ Authorization: `Bearer ${token}` });
const NDJSON = { Accept: "application/x-ndjson" };

const accounts = ["account-1", "account-2", "account"];
const api = useApi({}, async (api) => {
  for (let n = 1; n <= 10; n++) {
    for (const stream of accounts) await api.appended(stream, numbered(2, 2 * n - 1));
    await api.appended("order-1", [{ type: "Placed", data: { n } }, { type: "Paid" }]);
  }
  await feedOf(api, 80);
});

async function lines(query = ""): Promise<any[]> {
  const reply = await api.request(`/v1/events${query}`, { headers: NDJSON });
  assert.equal(reply.status, 200, reply.text);
  assert.equal(reply.headers.get("content-type"), "application/x-ndjson");
  const all = reply.text.split("\n");
  assert.equal(all.pop(), "", "every line ends");
  return all.map((line) => JSON.parse(line));
}

test("each event is there once, in its stream's order, and as its stream has it", async () => {
  const reply = await api.request("/v1/events");
  assert.equal(reply.status, 200);
  assert.deepEqual(Object.keys(reply.json), ["events", "checkpoint", "next"]);
  const { events, checkpoint, next } = reply.json;
  assert.equal(next, null);
  assert.equal(checkpoint, events.at(-1).checkpoint);
  assertInOrder(events, new Map([...accounts, "order-1"].map((stream) => [stream, 20])));
  assertGapless(events);
  const own = (await api.read("order-1")).json.events;
  const found = events.filter((event: any) => event.stream === "order-1");
  assert.deepEqual(
    found.map(({ position, checkpoint, ...event }: any) => event),
    own,
  );
});

test("pages go on where the one before ended, and a checkpoint resumes", async () => {
  const all = await wholeFeed(api);
  const small = await wholeFeed(api, "?limit=7");
  assert.deepEqual(small.events, all.events);
  assert.equal(small.pages, 12);
  for (const place of [0, 33, 79]) {
    const rest = await wholeFeed(api, `?after=${all.events[place].checkpoint}`);
    assert.deepEqual(rest.events, all.events.slice(place + 1));
    assert.equal(rest.checkpoint, all.checkpoint);
  }
});

test("one category, and several types", async () => {
  const of = async (query: string) => (await wholeFeed(api, query)).events;
  assert.equal((await of("?category=account")).length, 60);
  assert.equal((await of("?category=order&limit=3")).length, 20);
  assert.deepEqual(await of("?category=acc"), []);
  assert.equal((await of("?type=Placed")).length, 10);
  assert.equal((await of("?type=Placed&type=Paid&limit=4")).length, 20);
  assert.equal((await of("?type=Placed&category=account")).length, 0);
  const { checkpoint } = await wholeFeed(api, "?type=Nothing");
  assert.equal(checkpoint, (await wholeFeed(api)).checkpoint, "what was passed is not read again");
});

test("lines: to the end, with the limit of all", async () => {
  const { events } = await wholeFeed(api);
  assert.deepEqual(await lines(), events);
  assert.deepEqual(await lines(`?after=${events[9].checkpoint}&limit=12`), events.slice(10, 22));
  assert.deepEqual(
    await lines("?category=order&type=Paid"),
    events.filter((event) => event.type === "Paid"),
  );
  assert.deepEqual(await lines(`?after=${events.at(-1).checkpoint}`), []);
});

test("lines of more than a page end where the feed ended when reading began", async () => {
  const stream = freshStream("long");
  for (let n = 1; n <= 5000; n += 1000) await api.appended(stream, numbered(1000, n));
  await feedOf(api, 5000, "?category=long");
  const read = await fetch(new URL("/v1/events?category=long", api.server.url), {
    headers: NDJSON,
  });
  await api.appended(stream, numbered(10));
  const text = await read.text();
  assert.equal(text.split("\n").length - 1, 5000);
});

test("HEAD", async () => {
  for (const [headers, type] of [
    [{}, "application/json"],
    [NDJSON, "application/x-ndjson"],
    [{ Accept: "text/event-stream" }, "text/event-stream"],
  ] as const) {
    const head = await api.request("/v1/events", { method: "HEAD", headers });
    assert.deepEqual([head.status, head.text], [200, ""]);
    assert.equal(head.headers.get("content-type"), type);
  }
});

test("a page has its price: it writes nothing, and reads rows of many commits each", async () => {
  const price = priceOf(await api.request("/v1/events?limit=1"));
  assert.equal(price.written, 0);
  assert(price.read >= 1 && price.read <= 8, `${price.read}`);
});

test("without an aggregate, the newest schema version is the stored one", async () => {
  const { json } = await api.request("/v1/events");
  const { events } = (await api.request("/v1/events?upcast=true")).json;
  assert.deepEqual(events, json.events);
});

test("an unknown parameter of the feed is refused by its name", async () => {
  for (const [query, code, field] of [
    ["?after=x", "invalid_checkpoint", "after"],
    ["?after=01", "invalid_checkpoint", "after"],
    ["?after=1.2", "invalid_checkpoint", "after"],
    ["?after=-1", "invalid_checkpoint", "after"],
    ["?after=1000000", "invalid_checkpoint", "after"],
    ["?category=", "invalid_category", "category"],
    ["?category=account-", "invalid_category", "category"],
    ["?type=", "invalid_event_type", "type"],
    ["?type=A&type=%00", "invalid_event_type", "type"],
    ["?type=%FF", "invalid_parameter", "type"],
    ["?limit=0&after=1000000", "invalid_checkpoint", "after"],
    ["?limit=ten", "invalid_parameter", "limit"],
    ["?limit=1001", "page_too_large", "limit"],
    ["?from=1", "invalid_parameter", "from"],
    ["?after=1&after=2", "invalid_parameter", "after"],
  ] as const) {
    assertProblem(await api.request(`/v1/events${query}`), 400, code, field);
  }
  const wrong = await api.request("/v1/events?limit=x", { headers: NDJSON });
  assertProblem(wrong, 400, "invalid_parameter", "limit");
  for (const after of ["x", "1000000"]) {
    const headers = { Accept: "text/event-stream", "Last-Event-ID": after };
    const resumed = await api.request("/v1/events", { headers });
    assertProblem(resumed, 400, "invalid_checkpoint", "Last-Event-ID");
    const begun = await api.request(`/v1/events?after=${after}`, { headers: NDJSON });
    assertProblem(begun, 400, "invalid_checkpoint", "after");
  }
  const known = await api.request("/v1/events", { headers: { "If-None-Match": '"1"' } });
  assertProblem(known, 400, "unsupported_header", "If-None-Match");
  const posted = await api.request("/v1/events", { method: "POST", body: "{}" });
  assertProblem(posted, 405, "method_not_allowed");
  assert.equal(posted.headers.get("allow"), "GET, HEAD");
  const other = await api.request("/v1/events", { headers: { Accept: "text/html" } });
  assertProblem(other, 406, "not_acceptable", "Accept");
});

test("a forgotten event is hidden, and its position is not reused", async () => {
  const stream = freshStream("forgotten");
  await api.appended(stream, numbered(3));
  const body = JSON.stringify({ before: 3 });
  const path = `/v1/streams/${stream}`;
  assert.equal((await api.request(`${path}/truncate`, { method: "POST", body })).status, 200);
  const versions = async (): Promise<number[]> =>
    (await wholeFeed(api, "?category=forgotten")).events.map((event) => event.version);
  const shown = async (expected: number[]): Promise<void> => {
    while ((await versions()).join() !== expected.join()) await new Promise(setImmediate);
  };
  await shown([3]);
  assert.equal((await api.request(path, { method: "DELETE" })).status, 204);
  await shown([]);
});

test("a caller sees its own tenant, and of it the streams that its token allows", async (t) => {
  const guarded = new (api.constructor as new () => typeof api)();
  await guarded.start({ vars: { SILLOK_SECRET: SECRET } });
  t.after(() => guarded.stop());
  const as = (claims: object) => bearer(sign({ scope: "read append", ...claims }, SECRET));
  for (const tenant of ["a", "b"]) {
    for (const stream of ["account-1", "order-1"]) {
      await guarded.appended(stream, { type: tenant }, as({ tenant }));
    }
  }
  const seen = async (claims: object, count: number): Promise<string[]> => {
    for (;;) {
      const { events } = await wholeFeed(guarded, "", as(claims));
      if (events.length >= count)
        return events.map(({ stream, type }) => `${type} ${stream}`).sort();
    }
  };
  assert.deepEqual(await seen({ tenant: "a" }, 2), ["a account-1", "a order-1"]);
  assert.deepEqual(await seen({ tenant: "b", streams: "order-*" }, 1), ["b order-1"]);
  assert.deepEqual(await seen({ tenant: "a", streams: [] }, 0), []);
  assert.deepEqual(await seen({}, 0), []);
  const list = async (claims: object): Promise<string[]> => {
    const { json } = await guarded.request("/v1/streams", { headers: as(claims) });
    return json.streams.map(({ stream }: any) => stream);
  };
  assert.deepEqual(await list({ tenant: "a" }), ["account-1", "order-1"]);
  assert.deepEqual(await list({ tenant: "a", streams: "acc*" }), ["account-1"]);
  for (const path of ["/v1/events", "/v1/streams", "/v1/journal"]) {
    const refused = await guarded.request(path, { headers: as({ scope: "append" }) });
    assertProblem(refused, 403, "insufficient_scope");
    assertProblem(await guarded.request(path), 401, "missing_token");
  }
  const journal = await guarded.request("/v1/journal", { headers: as({ scope: "read" }) });
  assertProblem(journal, 403, "insufficient_scope");
});
