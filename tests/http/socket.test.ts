/** GET /v1/streams/{stream}/events as a WebSocket: the existing events, and then each new event. */

import assert from "node:assert/strict";
import { request as httpRequest } from "node:http";
import { test } from "node:test";

import { eventsPath, freshStream, type HeaderValues, numbered, useApi } from "../support/api.ts";
import { seesEachOnceThoughCutOff } from "../support/cut-off.ts";
import { SocketFollower } from "../support/socket-follower.ts";

const api = useApi();

const follow = (stream: string, query = "", headers: HeaderValues = {}) =>
  SocketFollower.connect(new URL(`${eventsPath(stream)}${query}`, api.server.url), headers);

const count = (from: number, to: number): number[] =>
  Array.from({ length: to - from + 1 }, (_, place) => from + place);

test("the existing events, and then each new event, one event a message", async () => {
  const stream = freshStream();
  await api.appended(stream, numbered(3));
  const follower = await follow(stream);
  await follower.until(({ events }) => events.length === 3);
  await api.appended(stream, { type: "Counted", data: "é🦀" });
  await follower.until(({ events }) => events.length === 4);
  await api.appended(stream, numbered(3, 5));
  await follower.until(({ events }) => events.length === 7);
  assert.deepEqual(follower.events, (await api.read(stream)).json.events);
  await follower.close();
});

test("from, type and Last-Event-ID choose the begin and the events", async () => {
  const stream = freshStream();
  for (let n = 1; n <= 6; n++) {
    await api.appended(stream, { type: n % 2 ? "Odd" : "Even", data: { n } });
  }
  for (const [query, headers, expected] of [
    ["?from=4", {}, [4, 5, 6]],
    ["?type=Even&from=3", {}, [4, 6]],
    ["?from=2", { "Last-Event-ID": "4" }, [5, 6]],
  ] as [string, HeaderValues, number[]][]) {
    const follower = await follow(stream, query, headers);
    await follower.until(({ versions }) => versions.at(-1) === 6);
    assert.deepEqual(follower.versions, expected);
    await follower.close();
  }
});

test("a follower cut off ten times during 10,000 events sees each once, in order", () =>
  seesEachOnceThoughCutOff(api, follow));

test("a connection carries a bounded share, and the next connection continues from there", async () => {
  const stream = freshStream();
  const data = "x".repeat(1_000_000);
  for (let n = 1; n <= 20; n++) await api.appended(stream, { type: "Large", data });
  const seen: number[] = [];
  for (let connections = 1; seen.length < 20; connections++) {
    const follower = await follow(stream, `?from=${seen.length + 1}`);
    await follower.until(({ versions, closed }) => versions.at(-1) === 20 || closed !== undefined);
    if (follower.versions.at(-1) !== 20) assert.equal(follower.closed, 1013);
    seen.push(...follower.versions);
    assert(follower.versions.length <= 13, `${follower.versions.length} in one connection`);
    assert(connections <= 4, "it does not come to an end");
    await follower.close();
  }
  assert.deepEqual(seen, count(1, 20));
});

test("messages of a client are ignored", async () => {
  const stream = freshStream();
  const follower = await follow(stream);
  for (let n = 0; n < 100; n++) follower.say("hello");
  await api.appended(stream, numbered(1));
  await follower.until(({ events }) => events.length === 1);
  await follower.close();
});

test("the object may be put out of memory; a stream that is deleted ends the connection", async () => {
  const stream = freshStream();
  const follower = await follow(stream);
  await api.appended(stream, numbered(1));
  await follower.until(({ events }) => events.length === 1);
  await api.server.evict(stream);
  await api.appended(stream, numbered(1));
  await follower.until(({ events }) => events.length === 2);
  await api.request(`/v1/streams/${stream}`, { method: "DELETE" });
  await follower.until(({ closed }) => closed !== undefined);
  assert.equal(follower.closed, 1001);
  assert.equal(await refusal(stream), "410 stream_deleted");
});

test("an invalid request to follow is refused before the connection changes", async () => {
  const stream = freshStream();
  assert.equal(await refusal(stream, "?limit=1"), "400 invalid_parameter");
  assert.equal(await refusal(stream, "?from=x"), "400 invalid_parameter");
  assert.equal(await refusal(stream, "", { "Last-Event-ID": "x" }), "400 invalid_parameter");
  assert.equal(await refusal(stream, "", { "If-None-Match": "*" }), "400 unsupported_header");
});

/** The status and the code of a refused attempt to follow. fetch cannot make such a request. */
function refusal(stream: string, query = "", headers: HeaderValues = {}): Promise<string> {
  const upgrade = {
    Connection: "Upgrade",
    Upgrade: "websocket",
    "Sec-WebSocket-Version": "13",
    "Sec-WebSocket-Key": "dGhlIHNhbXBsZSBub25jZQ==",
  };
  const url = new URL(`${eventsPath(stream)}${query}`, api.server.url);
  return new Promise((resolve, reject) => {
    const request = httpRequest(url, { headers: { ...upgrade, ...headers } });
    request.on("error", reject);
    request.on("upgrade", (response) => resolve(`${response.statusCode} upgraded`));
    request.on("response", async (response) => {
      let text = "";
      for await (const chunk of response) text += chunk;
      resolve(`${response.statusCode} ${JSON.parse(text).code}`);
    });
    request.end();
  });
}
