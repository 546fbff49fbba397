/**
 * Answers of a receiver beside a plain failure: the time of the next attempt, or that it is gone. And the id by which it finds
 * repeats.
 */

import assert from "node:assert/strict";
import { test } from "node:test";

import { freshStream, numbered, useApi } from "../support/api.ts";
import { settled, statusOf } from "../support/consumers.ts";
import { type Received, useReceiver } from "../support/receiver.ts";

const api = useApi();
const receiver = useReceiver();
const HOUR = 3_600_000;
/**
 * The delay after the first failure without an answer's own time, in milliseconds. Chance makes it shorter by up to a half.
 */
const FIRST_DELAY = 20_000;

/** Defines a webhook over its own category. */
async function webhook(options: object): Promise<{ category: string; path: string }> {
  const category = freshStream("hook").replaceAll("-", "");
  const path = `/v1/consumers/${category}`;
  const body = JSON.stringify({ kind: "webhook", url: receiver.url, category, ...options });
  const reply = await api.request(path, { method: "PUT", body });
  assert.equal(reply.status, 200, reply.text);
  return { category, path };
}

const ofCategory =
  (category: string) =>
  ({ event }: Received) =>
    event.subject.startsWith(`${category}-`);

/** The time for which a webhook waits, in milliseconds, after the receiver has asked for this time. */
async function waited(retryAfter: string, longestDelay: number): Promise<number> {
  receiver.answer = () => ({ status: 503, retryAfter });
  const { category } = await webhook({ firstDelay: FIRST_DELAY, longestDelay });
  await api.appended(`${category}-1`, numbered(1));
  const { retryAt, lastError } = await settled(api, category, ({ failures }) => failures === 1);
  return Date.parse(retryAt) - Date.parse(lastError.time);
}

test("a receiver says in how many seconds to come again, or when", async () => {
  assert.equal(await waited("600", HOUR), 600_000);
  const date = new Date(Date.now() + 600_000).toUTCString();
  const until = await waited(date, HOUR);
  assert(until > 500_000 && until <= 600_000, `${until}`);
});

test("nobody waits longer than the longest delay, whatever the receiver says", async () => {
  for (const retryAfter of [
    "601",
    "99999999999999999999999",
    new Date(Date.now() + HOUR).toUTCString(),
  ]) {
    assert.equal(await waited(retryAfter, 600_000), 600_000, retryAfter);
  }
});

test("an invalid or past time changes nothing", async () => {
  const past = new Date(0).toUTCString();
  for (const retryAfter of ["0", "-5", "soon", "1.5", past]) {
    const wait = await waited(retryAfter, HOUR);
    assert(wait >= FIRST_DELAY / 2 && wait <= FIRST_DELAY, `${retryAfter}: ${wait}`);
  }
});

test("a receiver that is gone pauses the consumer, and gets every event when it is resumed", async () => {
  receiver.answer = ({ data }) => (data.n === 2 ? 410 : 204);
  const { category, path } = await webhook({ firstDelay: HOUR, longestDelay: HOUR });
  await api.appended(`${category}-1`, numbered(3));
  const status = await settled(api, category, (found) => found.status === "paused");
  assert.match(status.lastError.message, /status 410: it takes no more events$/);
  assert.deepEqual([status.failures, status.deadLetters, status.retryAt], [0, 0, null]);
  const taken = () => receiver.taken.filter(ofCategory(category)).map(({ event }) => event.data.n);
  assert.deepEqual(taken(), [1]);
  receiver.answer = () => 204;
  const resumed = await api.request(`${path}/resume`, { method: "POST" });
  assert.equal(resumed.json.status, "running");
  await receiver.until(() => taken().length === 3);
  assert.deepEqual(taken(), [1, 2, 3]);
  const gone = receiver.received.filter(ofCategory(category)).filter((one) => one.status === 410);
  assert.equal(gone.length, 1);
});

test("no two events are the same, also where their writers gave them the same id", async () => {
  receiver.answer = () => 204;
  const { category } = await webhook({});
  const twins = [
    { type: "Told", id: "twin" },
    { type: "Told", id: "twin" },
  ];
  await api.appended(`${category}-1`, twins);
  await api.appended(`${category}-2`, twins);
  const mine = () => receiver.taken.filter(ofCategory(category));
  await receiver.until(() => mine().length === 4);
  for (const { event } of mine()) assert.equal(event.eventid, "twin");
  const ids = mine().map(({ event }) => event.source + event.id);
  assert.equal(new Set(ids).size, 4, ids.join());
  assert.equal(new Set(mine().map(({ headers }) => headers["webhook-id"])).size, 4);
});

test("no attribute has a character that CloudEvents forbids, and every event is sent", async () => {
  receiver.answer = () => 204;
  const { category } = await webhook({ attempts: 1 });
  const control = "a\u0000\u001f\u007f\u0085\ufdd0\ufffe";
  const events = [
    {
      type: "Odd\uffff",
      id: "e\ufdef",
      metadata: { correlationId: control, causationId: control },
    },
    '{"type":"Lone","metadata":{"\\ud83d":1,"correlationId":"\\ud83d"}}',
  ].map((event) => (typeof event === "string" ? event : JSON.stringify(event)));
  await api.appended(`${category}-\ufffe`, `[${events.join()}]`);
  const mine = () => receiver.taken.filter(ofCategory(category));
  await receiver.until(() => mine().length === 2);
  assert.equal((await statusOf(api, category)).deadLetters, 0);
  for (const { event } of mine()) {
    for (const [name, value] of Object.entries(event)) {
      if (name === "data") continue;
      assert.equal(typeof value, "string", name);
      assert(!/[\p{Cc}\p{Cs}\p{Noncharacter_Code_Point}]/u.test(value as string), name);
    }
  }
});
