/** What a request costs: Sillok-Rows-Written and Sillok-Rows-Read. */

import assert from "node:assert/strict";
import { test } from "node:test";
import { setTimeout as sleep } from "node:timers/promises";

import {
  assertProblem,
  eventsPath,
  freshStream,
  type HeaderValues,
  numbered,
  priceOf,
  type Reply,
  streamPath,
  useApi,
} from "../support/api.ts";

const api = useApi();
const keyed = { "Idempotency-Key": "a" };
/** How long after it was set the alarm rings, in milliseconds. */
const BACKSTOP = 5000;

/** The appends to one stream, and when one of them last armed the alarm. */
class Buyer {
  readonly stream = freshStream();
  #armed = -BACKSTOP;

  /** Appends, and gives the reply with the rows that it wrote besides the alarm's. */
  async append(events: unknown, headers: HeaderValues = {}): Promise<[number, Reply]> {
    const sent = performance.now();
    const reply = await api.append(this.stream, events, headers);
    assert.equal(reply.status, 201, reply.text);
    const { written } = priceOf(reply);
    // The first to write after the alarm rang, or after the object was away, arms it.
    const arms = sent - this.#armed >= BACKSTOP && !reply.json.replayed;
    if (!arms) return [written, reply];
    this.#armed = sent;
    return [written - 1, reply];
  }

  async restart(): Promise<void> {
    await api.server.restart();
    this.#armed = -BACKSTOP;
  }
}

test("a commit is one row written, of however many events", async () => {
  const buyer = new Buyer();
  for (const count of [1, 1, 1000, 1, 1000]) {
    const [written] = await buyer.append(numbered(count));
    assert.equal(written, 1, `${count} events`);
  }
});

test("the commit that arms the alarm is one row more", async () => {
  const stream = freshStream();
  assert.equal(priceOf(await api.append(stream, numbered(1))).written, 2);
  assert.equal(priceOf(await api.append(stream, numbered(1))).written, 1);
  await sleep(BACKSTOP + 1000);
  assert.equal(priceOf(await api.append(stream, numbered(1))).written, 2);
});

test("an idempotency key is one row more, and a retry writes nothing", async () => {
  const buyer = new Buyer();
  await buyer.append(numbered(1));
  assert.equal((await buyer.append(numbered(1000), keyed))[0], 2);
  const [written, retry] = await buyer.append(numbered(1000), keyed);
  assert.equal(retry.json.replayed, true);
  assert.equal(written, 0);
});

test("the first append makes the table: three rows, once, told apart", async () => {
  const schema = "sillok-schema-rows-written";
  const buyer = new Buyer();
  const [first, reply] = await buyer.append(numbered(1000), keyed);
  assert.equal(first, 2);
  assert.equal(reply.headers.get(schema), "3");
  const [second, other] = await buyer.append(numbered(1));
  assert.equal(second, 1);
  assert.equal(other.headers.get(schema), null);
});

test("an append costs the same however long the stream is, also on an object that was away", async () => {
  const buyer = new Buyer();
  const prices = [];
  for (let n = 0; n < 20; n++) {
    const [written, reply] = await buyer.append(numbered(50));
    prices.push({ written, read: priceOf(reply).read });
  }
  assert.equal(new Set(prices.slice(2).map((price) => JSON.stringify(price))).size, 1);
  assert(prices.at(-1)!.read <= 3, JSON.stringify(prices.at(-1)));
  await buyer.restart();
  const [written, cold] = await buyer.append(numbered(1));
  assert.equal(written, 1);
  assert(priceOf(cold).read <= 7, `${priceOf(cold).read}`);
});

test("a page costs the rows that it is made of", async () => {
  const stream = freshStream();
  for (let n = 1; n <= 20; n++) await api.appended(stream, numbered(1, n));
  const all = priceOf(await api.read(stream));
  const one = priceOf(await api.read(stream, "?limit=1"));
  assert.equal(all.written, 0);
  assert(all.read >= 20 && all.read <= 25, `${all.read}`);
  assert(one.read <= 5, `${one.read}`);
  // A condition is looked up first: both are paid, by an object that does not remember where the stream ends.
  await api.server.evict(stream);
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
