/**
 * Events of several schema versions in one stream: code sees the newest version of each, and readers see what was stored, unless
 * they ask the feed for the newest version. The plain Worker has stored the events, because an aggregate writes only its newest
 * versions.
 */

import assert from "node:assert/strict";
import { test } from "node:test";
import { fileURLToPath } from "node:url";

import { assertProblem, eventsPath, streamPath, useApi } from "../support/api.ts";
import { settled } from "../support/consumers.ts";
import { feedOf, wholeFeed } from "../support/feed.ts";
import { Follower } from "../support/follower.ts";
import { SocketFollower } from "../support/socket-follower.ts";

const entry = fileURLToPath(import.meta.resolve("../support/evolution-worker.ts"));
const NDJSON = { Accept: "application/x-ndjson" };
const STREAM = "savings-1";
/** The events as they were stored. No number and no white space of a text may change on the way. */
const STORED = [
  `{"type":"Saved","data":{"text":"1"},"metadata":{"n":1e400,"t":"a \\"],{ b"}}`,
  `{"type":"Saved","schemaVersion":2,"data":{"amount":2},"metadata":{"n":12345678901234567890}}`,
  `{"type":"Saved","schemaVersion":3,"data":{ "cents" : 3.0 }}`,
  `{"type":"Labelled","schemaVersion":7,"data":{"n":[1e400, {}]}}`,
];
const NEWEST = [{ cents: 100 }, { cents: 200 }, { cents: 3 }];
/** The texts of a stream that never change. */
const RAW = [
  eventsPath(STREAM),
  `${streamPath(STREAM)}/commits`,
  "/v1/events?category=savings&limit=4",
  eventsPath("order-1"),
] as const;

let before: string[] = [];
const raw = () => Promise.all(RAW.map(async (path) => (await api.request(path)).text));

const api = useApi({}, async (api) => {
  for (const event of STORED) await api.appended(STREAM, event);
  await api.appended("order-1", `{"type":"Placed","schemaVersion":9,"data":[ 1.50 ]}`);
  const saved = Array.from({ length: 1000 }, () => ({ type: "Saved", data: { text: "1" } }));
  await api.appended("vault-1", saved);
  await api.appended("vault-1", { type: "Saved", schemaVersion: 4, data: {} });
  await api.appended("vault-2", { type: "Lost", data: {} });
  await feedOf(api, STORED.length + 1003);
  before = await raw();
  await api.server.restart({ entry });
});

const dataOf = (events: any[]) => events.filter(isSaved).map(({ data }) => data);
const isSaved = ({ type }: any) => type === "Saved";
const url = (query: string) => new URL(`/v1/events${query}`, api.server.url);

test("reads, exports and the feed have the stored events byte for byte", async () => {
  assert.deepEqual(await raw(), before);
  assert.equal(
    (await api.request("/v1/events?category=savings&limit=4&upcast=false")).text,
    before[2],
  );
  const { json } = await api.request(`${streamPath(STREAM)}/verify`);
  assert.deepEqual([json.intact, json.version], [true, STORED.length]);
});

test("state, projection, reactor and the upcast feed agree", async () => {
  const { state, version } = (await api.state(STREAM)).json;
  assert.deepEqual([state, version], [{ cents: 303 }, STORED.length]);
  await settled(api, "saved");
  const { documents } = (await api.request("/v1/projections/saved/documents")).json;
  assert.deepEqual(
    documents.map(({ document }: any) => document),
    NEWEST.map((data) => ({ schemaVersion: 3, data })),
  );
  await settled(api, "noting");
  const notes = (await api.read(`notes-${STREAM}`)).json.events;
  assert.deepEqual(
    notes.map(({ data }: any) => data),
    NEWEST,
  );
  const { events } = await wholeFeed(api, "?category=savings&upcast=true");
  assert.deepEqual(dataOf(events), NEWEST);
});

test("the upcast feed changes the data and the schema version of older events, and nothing else", async () => {
  const stored = (await api.request("/v1/events?category=savings&limit=4")).text;
  const shown = (await api.request("/v1/events?category=savings&limit=4&upcast=true")).text;
  const expected = stored
    .replace('"type":"Saved",', '"type":"Saved","schemaVersion":3,')
    .replace('"data":{"text":"1"}', '"data":{"cents":100}')
    .replace('"schemaVersion":2,', '"schemaVersion":3,')
    .replace('"data":{"amount":2}', '"data":{"cents":200}')
    .replace("limit=4", "limit=4&upcast=true");
  assert.equal(shown, expected);
  const others = "/v1/events?category=order";
  const { text } = await api.request(others);
  assert.equal((await api.request(`${others}&upcast=true`)).text, text);
});

test("every form of the feed shows the newest versions, and `next` asks for them too", async () => {
  const query = "?category=savings&upcast=true";
  const { events, pages } = await wholeFeed(api, `${query}&limit=1`);
  assert.deepEqual(dataOf(events), NEWEST);
  assert.ok(pages >= STORED.length, `${pages}`);
  const lines = await api.request(`/v1/events${query}&type=Saved`, { headers: NDJSON });
  assert.deepEqual(
    dataOf(
      lines.text
        .trimEnd()
        .split("\n")
        .map((line) => JSON.parse(line)),
    ),
    NEWEST,
  );
  const followers = [
    await Follower.connect(url(query)),
    await SocketFollower.connect(url(query)),
  ] as const;
  await api.executed(STREAM, { type: "Save", data: { cents: 4 } });
  for (const follower of followers) {
    await follower.until(() => follower.events.filter(isSaved).length === 4);
    assert.deepEqual(dataOf(follower.events), [...NEWEST, { cents: 4 }]);
    await follower.close();
  }
});

test("an event of newer code, and an upcast that throws, are errors that name the event", async () => {
  const rest = await wholeFeed(api, "?category=vault&type=Saved&limit=1000");
  const after = rest.events[999].checkpoint;
  const read = (query: string, headers = {}) =>
    api.request(`/v1/events?upcast=true&category=vault${query}`, { headers });
  const newer = `&type=Saved&after=${after}`;
  for (const reply of [
    await read(newer),
    await read(newer, NDJSON),
    await read(newer, { Accept: "text/event-stream" }),
    await api.state("vault-1"),
    await api.execute("vault-1", { type: "Save", data: { cents: 1 } }),
  ]) {
    const { detail } = assertProblem(reply, 500, "event_too_new");
    for (const name of ["version 1001 of vault-1", "Saved", "4"]) {
      assert.ok(detail.includes(name), detail);
    }
  }
  const lost = await read("&type=Lost");
  const { detail } = assertProblem(lost, 500, "decider_failed");
  for (const name of ["version 1 of vault-2", "Lost"]) assert.ok(detail.includes(name), detail);
  assert.doesNotMatch(lost.text, /secret/);
  const whole = api.request("/v1/events?upcast=true&category=vault", { headers: NDJSON });
  await assert.rejects(whole, "the lines are cut off after the first page");
  await settled(api, "locked");
  const letters = (await api.request("/v1/consumers/locked/dead-letters")).json.deadLetters;
  assert.deepEqual(
    letters.map(({ event }: any) => [event.stream, event.version]),
    [["vault-1", 1001]],
  );
  assert.match(letters[0].error, /Saved has schema version 4/);
  // Nothing else is broken.
  assert.equal((await read("&type=Saved&limit=1000")).status, 200);
  assert.equal((await api.request("/v1/events?category=vault")).status, 200);
});

test("`upcast` is true or false, and only the feed has it", async () => {
  for (const wrong of ["", "1", "TRUE", "yes", "true&upcast=true"]) {
    const reply = await api.request(`/v1/events?upcast=${wrong}`);
    assertProblem(reply, 400, "invalid_parameter", "upcast");
  }
  assertProblem(await api.read(STREAM, "?upcast=true"), 400, "invalid_parameter", "upcast");
});
