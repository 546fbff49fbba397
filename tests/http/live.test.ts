/** GET /v1/streams/{stream}/events as server-sent events: the existing events, and then each new event. */

import assert from "node:assert/strict";
import { test } from "node:test";

import {
  assertProblem,
  eventsPath,
  freshStream,
  type HeaderValues,
  numbered,
  streamPath,
  useApi,
} from "../support/api.ts";
import { seesEachOnceThoughCutOff } from "../support/cut-off.ts";
import { Follower } from "../support/follower.ts";

const api = useApi();
const SSE = { Accept: "text/event-stream" };

const follow = (stream: string, query = "", headers: HeaderValues = {}) =>
  Follower.connect(new URL(`${eventsPath(stream)}${query}`, api.server.url), headers);

const versions = (follower: Follower): number[] => follower.events.map((event) => event.version);

const count = (from: number, to: number): number[] =>
  Array.from({ length: to - from + 1 }, (_, place) => from + place);

test("the existing events, and then each new event at once", async () => {
  const stream = freshStream();
  await api.appended(stream, numbered(3));
  const follower = await follow(stream);
  assert.equal(follower.response.status, 200);
  assert.equal(follower.response.headers.get("content-type"), "text/event-stream");
  assert.equal(follower.response.headers.get("cache-control"), "no-store, no-transform");
  await follower.until(({ events }) => events.length === 3);
  for (let n = 4; n <= 6; n++) {
    await api.appended(stream, numbered(1, n));
    await follower.until(({ events }) => events.length === n);
  }
  await api.appended(stream, numbered(4, 7));
  await follower.until(({ events }) => events.length === 10);
  assert.deepEqual(follower.events, (await api.read(stream)).json.events);
  const ids = follower.messages.map(({ id, name }) => (name === undefined ? id : [name, id]));
  const [first, ...others] = [count(1, 3), count(4, 10)].map((versions) => versions.map(String));
  const expected = [...(first ?? []), ["caught-up", "3"], ...others.flat()];
  assert.deepEqual(
    ids.filter((id) => id !== undefined),
    expected,
  );
  const named = follower.messages.find(({ name }) => name !== undefined);
  assert.deepEqual(JSON.parse(named?.data ?? ""), { version: 3 });
  assert.equal(follower.messages[0]?.retry, "1000");
  await follower.close();
});

test("a stream may be followed before it begins", async () => {
  const stream = freshStream();
  const follower = await follow(stream);
  await api.appended(stream, numbered(2));
  await follower.until(({ events }) => events.length === 2);
  assert.deepEqual(versions(follower), [1, 2]);
  await follower.close();
});

test("a long stream is caught up with, page after page, while it grows", async () => {
  const stream = freshStream();
  for (let from = 1; from <= 5000; from += 1000) await api.appended(stream, numbered(1000, from));
  const follower = await follow(stream);
  for (let n = 5001; n <= 5050; n++) await api.appended(stream, numbered(1, n));
  await follower.until(({ lastId }) => lastId === "5050");
  assert.deepEqual(versions(follower), count(1, 5050));
  await follower.close();
});

test("from, type and Last-Event-ID choose the begin and the events", async () => {
  const stream = freshStream();
  for (let n = 1; n <= 10; n++) {
    await api.appended(stream, { type: n % 2 ? "Odd" : "Even", data: { n } });
  }
  for (const [query, headers, expected] of [
    ["?from=7", {}, [7, 8, 9, 10, 11, 12]],
    ["?from=12", {}, [12]],
    ["", { "Last-Event-ID": "8" }, [9, 10, 11, 12]],
    ["?from=3", { "Last-Event-ID": "9" }, [10, 11, 12]],
    ["?from=9", { "Last-Event-ID": "3" }, [9, 10, 11, 12]],
    ["?type=Even", { "Last-Event-ID": "4" }, [6, 8, 10, 12]],
  ] as [string, HeaderValues, number[]][]) {
    const follower = await follow(stream, query, headers);
    if ((await api.version(stream)) === 10) {
      await api.appended(stream, [{ type: "Odd" }, { type: "Even" }]);
    }
    await follower.until(({ lastId }) => lastId === "12");
    assert.deepEqual(versions(follower), expected, query);
    await follower.close();
  }
});

test("data that was sent in several lines is one message, and the same JSON", async () => {
  const stream = freshStream();
  const follower = await follow(stream);
  const data = '{ "a" :\t[ 1,\n\n 2,\r\n3 ],\r"b":"\\n\\n\u2028é🦀"}';
  await api.append(stream, `{"type":"A","data":${data}}`);
  await follower.until(({ events }) => events.length === 1);
  assert.deepEqual(follower.events[0].data, JSON.parse(data));
  await follower.close();
});

test("an invalid request to follow gets a problem document", async () => {
  const stream = freshStream();
  await api.appended(stream, numbered(1));
  for (const [query, headers, code, field] of [
    ["?to=3", {}, "invalid_parameter", "to"],
    ["?limit=3", {}, "invalid_parameter", "limit"],
    ["?direction=backward", {}, "invalid_parameter", "direction"],
    ["?from=0", {}, "invalid_parameter", "from"],
    ["?type=", {}, "invalid_event_type", "type"],
    ["", { "Last-Event-ID": "x" }, "invalid_parameter", "Last-Event-ID"],
    ["", { "If-None-Match": '"1"' }, "unsupported_header", "If-None-Match"],
  ] as [string, HeaderValues, string, string][]) {
    assertProblem(await api.read(stream, query, { ...SSE, ...headers }), 400, code, field);
  }
  await api.server.sql(stream, "UPDATE commits_v1 SET events = ''");
  assertProblem(await api.read(stream, "", SSE), 500, "stored_data_corrupt");
  const head = await api.request(eventsPath(stream), { method: "HEAD", headers: SSE });
  assert.deepEqual([head.status, head.text], [200, ""]);
  assert.equal(head.headers.get("content-type"), "text/event-stream");
});

test("a follower of a deleted stream is disconnected, and its next connection is refused", async () => {
  const stream = freshStream();
  await api.appended(stream, numbered(2));
  const followers = await Promise.all([follow(stream), follow(stream)]);
  for (const follower of followers) await follower.until(({ events }) => events.length === 2);
  await api.request(streamPath(stream), { method: "DELETE" });
  for (const follower of followers) assert.equal(await follower.ended, undefined);
  assertProblem(await api.read(stream, "", SSE), 410, "stream_deleted");
});

test("followers get no message of a refused append or of a retry", async () => {
  const stream = freshStream();
  const key = { "Idempotency-Key": "a" };
  await api.appended(stream, numbered(1), key);
  const follower = await follow(stream, "?from=2");
  await api.append(stream, numbered(1), { "If-Match": '"7"' });
  await api.append(stream, numbered(1), key);
  await api.appended(stream, numbered(1, 2));
  await follower.until(({ events }) => events.length === 1);
  assert.deepEqual(versions(follower), [2]);
  await follower.close();
});

test("many followers see the same", async () => {
  const stream = freshStream();
  const followers = await Promise.all(Array.from({ length: 20 }, () => follow(stream)));
  const writers = Array.from({ length: 50 }, (_, n) => api.appended(stream, numbered(2, n)));
  await Promise.all(writers);
  for (const follower of followers) {
    await follower.until(({ events }) => events.length === 100);
    assert.deepEqual(versions(follower), count(1, 100));
    await follower.close();
  }
});

test("a follower cut off ten times during 10,000 events sees each once, in order", () =>
  seesEachOnceThoughCutOff(api, follow));

test("a follower does not notice that the object was put out of memory", async () => {
  const stream = freshStream();
  const follower = await follow(stream);
  for (let n = 1; n <= 5; n++) {
    await api.appended(stream, numbered(1, n));
    await follower.until(({ events }) => events.length === n);
    await api.server.evict(stream);
  }
  assert.deepEqual(versions(follower), count(1, 5));
  await follower.close();
});

test("a follower continues from its place after a crash", async () => {
  const stream = freshStream();
  await api.appended(stream, numbered(3));
  const first = await follow(stream);
  await first.until(({ events }) => events.length === 3);
  await api.server.kill();
  await first.ended;
  await api.server.restart();
  const second = await follow(stream, "", { "Last-Event-ID": first.lastId ?? "" });
  await api.appended(stream, numbered(2, 4));
  await second.until(({ events }) => events.length === 2);
  assert.deepEqual([...versions(first), ...versions(second)], count(1, 5));
  await second.close();
});

test("a connection without events is kept alive by comments", async () => {
  const follower = await follow(freshStream());
  await follower.until(({ messages }) => messages.some((message) => message.comment));
  await follower.close();
});
