/** The price of a request: Sillok-Rows-Written and Sillok-Rows-Read. */

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
/** The shortest time between the setting of the alarm and its ring, in milliseconds. */
const BACKSTOP = 5000;
/** The time after which the alarm counts as lost, in milliseconds. */
const OVERDUE = 30_000;

/** The requests to one stream, and the time at which one of them last set the alarm. */
class Buyer {
  readonly stream = freshStream();
  /** The time before that request. It is undefined if the alarm is not set, or is not known to be set. */
  armed: number | undefined;

  /** Sends a request, checks that it wrote this number of rows beside the alarm's, and returns the reply. */
  async pays(rows: number, request: () => Promise<Reply>): Promise<Reply> {
    const sent = Date.now();
    const reply = await request();
    const { written } = priceOf(reply);
    const arms = written > rows;
    assert.equal(written, rows + Number(arms), `${reply.status} ${reply.text}`);
    // The first write after the alarm rang, or after a restart of the object, sets the alarm.
    const isFirst = this.armed === undefined && rows > 0;
    const mayHaveRung = this.armed !== undefined && Date.now() >= this.armed + BACKSTOP;
    assert(arms ? rows > 0 && (isFirst || mayHaveRung) : !isFirst, `${written} rows`);
    if (arms) this.armed = sent;
    return reply;
  }

  async append(rows: number, events: unknown, headers: HeaderValues = {}): Promise<Reply> {
    const reply = await this.pays(rows, () => api.append(this.stream, events, headers));
    assert.equal(reply.status, 201, reply.text);
    return reply;
  }

  async restart(): Promise<void> {
    await api.server.restart();
    this.armed = undefined;
  }
}

test("a commit is one row written, of however many events", async () => {
  const buyer = new Buyer();
  for (const count of [1, 1, 1000, 1, 1000]) await buyer.append(1, numbered(count));
});

test("the commit that arms the alarm is one row more", async () => {
  const buyer = new Buyer();
  await buyer.append(1, numbered(1));
  const first = buyer.armed ?? 0;
  // No request sets it before the alarm has rung.
  while (buyer.armed === first) {
    await buyer.append(1, numbered(1));
    await sleep(100);
  }
  assert(Date.now() < first + BACKSTOP + OVERDUE, "it was not armed because it was taken for lost");
});

test("an idempotency key is one row more, and a retry writes nothing", async () => {
  const buyer = new Buyer();
  await buyer.append(1, numbered(1));
  await buyer.append(2, numbered(1000), keyed);
  const retry = await buyer.append(0, numbered(1000), keyed);
  assert.equal(retry.json.replayed, true);
});

test("the first append makes the table: three rows, once, told apart", async () => {
  const schema = "sillok-schema-rows-written";
  const buyer = new Buyer();
  const first = await buyer.append(2, numbered(1000), keyed);
  assert.equal(first.headers.get(schema), "3");
  const second = await buyer.append(1, numbered(1));
  assert.equal(second.headers.get(schema), null);
});

test("an append costs the same however long the stream is, also on an object that was away", async () => {
  const buyer = new Buyer();
  const read: number[] = [];
  for (let n = 0; n < 20; n++) read.push(priceOf(await buyer.append(1, numbered(50))).read);
  assert.equal(new Set(read.slice(2)).size, 1, read.join());
  assert(read.at(-1)! <= 3, read.join());
  await buyer.restart();
  const cold = await buyer.append(1, numbered(1));
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
  // A condition needs a look at the head first. An object that has just started pays for both.
  await api.server.evict(stream);
  const other = priceOf(await api.read(stream, "", { "If-None-Match": '"7"' }));
  assert(other.read > all.read, `${other.read}`);
});

test("each request that reaches an object has its price, refusals too", async () => {
  const buyer = new Buyer();
  const { stream } = buyer;
  await buyer.append(2, numbered(3), keyed);
  const path = streamPath(stream);
  const truncate = (before: number) =>
    api.request(`${path}/truncate`, { method: "POST", body: JSON.stringify({ before }) });
  const requests: [status: number, written: number, request: () => Promise<Reply>][] = [
    [412, 0, () => api.append(stream, numbered(1), { "If-Match": '"1"' })],
    [422, 0, () => api.append(stream, numbered(1), keyed)],
    [400, 0, () => api.append(stream, "[{}]")],
    [304, 0, () => api.read(stream, "", { "If-None-Match": '"3"' })],
    [200, 0, () => api.request(eventsPath(stream), { method: "HEAD" })],
    [200, 0, () => api.request(path)],
    [200, 0, () => api.request(path, { method: "HEAD" })],
    [200, 0, () => api.request(`${path}/verify`)],
    [400, 0, () => truncate(5)],
    [200, 1, () => truncate(2)],
    [200, 0, () => truncate(2)],
    [204, 2, () => api.request(path, { method: "DELETE" })],
    [204, 0, () => api.request(path, { method: "DELETE" })],
    [410, 0, () => api.append(stream, numbered(1))],
    [410, 0, () => api.request(path)],
    [404, 0, () => api.request(streamPath(freshStream()))],
    [200, 0, () => api.read(freshStream())],
  ];
  for (const [status, written, request] of requests) {
    assert.equal((await buyer.pays(written, request)).status, status);
  }
});

test("a request that never reaches an object has no price", async () => {
  const stream = freshStream();
  for (const reply of [
    await api.read(stream, "?limit=x"),
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
