/** What a request costs: Sillok-Rows-Written and Sillok-Rows-Read. */

import assert from "node:assert/strict";
import { test } from "node:test";

import {
  assertProblem,
  eventsPath,
  freshStream,
  numbered,
  priceOf,
  streamPath,
  useApi,
} from "../support/api.ts";

const api = useApi();
const keyed = { "Idempotency-Key": "a" };

test("a commit is one row written, of however many events", async () => {
  const stream = freshStream();
  await api.appended(stream, numbered(1));
  for (const count of [1, 1000, 1, 1000]) {
    const reply = await api.append(stream, numbered(count));
    assert.equal(reply.status, 201);
    assert.equal(priceOf(reply).written, 1, `${count} events`);
  }
});

test("an idempotency key is one row more, and a retry writes nothing", async () => {
  const stream = freshStream();
  await api.appended(stream, numbered(1));
  assert.equal(priceOf(await api.append(stream, numbered(1000), keyed)).written, 2);
  const retry = await api.append(stream, numbered(1000), keyed);
  assert.equal(retry.json.replayed, true);
  assert.equal(priceOf(retry).written, 0);
});

test("the first append makes the table: three rows, once, told apart", async () => {
  const schema = "sillok-schema-rows-written";
  const first = await api.append(freshStream(), numbered(1));
  assert.equal(priceOf(first).written, 1);
  assert.equal(first.headers.get(schema), "3");
  const stream = freshStream();
  assert.equal(priceOf(await api.append(stream, numbered(1000), keyed)).written, 2);
  const second = await api.append(stream, numbered(1));
  assert.equal(priceOf(second).written, 1);
  assert.equal(second.headers.get(schema), null);
});

test("an append costs the same however long the stream is, also on an object that was away", async () => {
  const stream = freshStream();
  const prices = [];
  for (let n = 0; n < 20; n++) prices.push(priceOf(await api.append(stream, numbered(50))));
  assert.equal(new Set(prices.slice(2).map((price) => JSON.stringify(price))).size, 1);
  assert(prices.at(-1)!.read <= 3, JSON.stringify(prices.at(-1)));
  await api.server.restart();
  const cold = priceOf(await api.append(stream, numbered(1)));
  assert.equal(cold.written, 1);
  assert(cold.read <= 6, `${cold.read}`);
});

test("a page costs the rows that it is made of", async () => {
  const stream = freshStream();
  for (let n = 1; n <= 20; n++) await api.appended(stream, numbered(1, n));
  const all = priceOf(await api.read(stream));
  const one = priceOf(await api.read(stream, "?limit=1"));
  assert.equal(all.written, 0);
  assert(all.read >= 20 && all.read <= 25, `${all.read}`);
  assert(one.read <= 5, `${one.read}`);
  // A condition is looked up first: both are paid.
  const other = priceOf(await api.read(stream, "", { "If-None-Match": '"7"' }));
  assert(other.read > all.read, `${other.read}`);
});

test("whatever reached the object has its price, refusals too", async () => {
  const stream = freshStream();
  await api.appended(stream, numbered(3), keyed);
  const path = streamPath(stream);
  const truncate = (before: number) =>
    api.request(`${path}/truncate`, { method: "POST", body: JSON.stringify({ before }) });
  for (const [status, written, reply] of [
    [412, 0, await api.append(stream, numbered(1), { "If-Match": '"1"' })],
    [422, 0, await api.append(stream, numbered(1), keyed)],
    [400, 0, await api.append(stream, "[{}]")],
    [304, 0, await api.read(stream, "", { "If-None-Match": '"3"' })],
    [200, 0, await api.request(eventsPath(stream), { method: "HEAD" })],
    [200, 0, await api.request(path)],
    [200, 0, await api.request(path, { method: "HEAD" })],
    [200, 0, await api.request(`${path}/verify`)],
    [400, 0, await truncate(5)],
    [200, 1, await truncate(2)],
    [200, 0, await truncate(2)],
    [204, 2, await api.request(path, { method: "DELETE" })],
    [204, 0, await api.request(path, { method: "DELETE" })],
    [410, 0, await api.append(stream, numbered(1))],
    [410, 0, await api.request(path)],
    [404, 0, await api.request(streamPath(freshStream()))],
    [200, 0, await api.read(freshStream())],
  ] as const) {
    assert.equal(reply.status, status, reply.text);
    assert.equal(priceOf(reply).written, written, `${status} ${reply.text}`);
  }
});

test("what never reached an object has no price", async () => {
  const stream = freshStream();
  for (const reply of [
    await api.read(stream, "?limit=0"),
    await api.append(stream, numbered(1), { "Idempotency-Key": "" }),
    await api.request("/v1/health"),
    await api.request("/v1/nothing"),
  ]) {
    assert.equal(reply.headers.get("sillok-rows-written"), null, reply.text);
    assert.equal(reply.headers.get("sillok-rows-read"), null, reply.text);
  }
});

test("a failure of the storage has its price", async () => {
  const stream = freshStream();
  await api.appended(stream, numbered(1));
  await api.server.sql(stream, "UPDATE commits_v1 SET events = ''");
  const reply = await api.read(stream);
  assertProblem(reply, 500, "stored_data_corrupt");
  assert(priceOf(reply).read > 0);
});
