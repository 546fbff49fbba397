/** The place where a consumer begins. */

import assert from "node:assert/strict";
import { test } from "node:test";
import { fileURLToPath } from "node:url";

import { Api, assertProblem, freshStream, numbered, useApi } from "../support/api.ts";
import { settled } from "../support/consumers.ts";
import { feedOf } from "../support/feed.ts";
import { useReceiver } from "../support/receiver.ts";

const PARTITIONS = 3;
const vars = { SILLOK_AUTH: "off", JOURNAL_PARTITIONS: `${PARTITIONS}` };
const api = useApi({ vars });
const receiver = useReceiver();

function put(name: string, definition: object) {
  const body = JSON.stringify({ kind: "webhook", url: receiver.url, ...definition });
  return api.request(`/v1/consumers/${name}`, { method: "PUT", body });
}

async function begun(name: string, definition: object): Promise<any> {
  const reply = await put(name, definition);
  assert.equal(reply.status, 200, reply.text);
  return reply.json;
}

/** Some streams of their own category, which are in several partitions. */
function streamsOf(category: string): string[] {
  return Array.from({ length: 8 }, (_, number) => `${category}-${number}`);
}

function freshCategory(): string {
  return freshStream("after").replaceAll("-", "");
}

async function appendEach(streams: string[], count: number, from = 1): Promise<void> {
  await Promise.all(streams.map((stream) => api.appended(stream, numbered(count, from))));
}

/** The numbers of each stream's events at the receiver, in the order of their arrival. */
function taken(streams: string[]): number[][] {
  const of = (stream: string) => receiver.taken.filter(({ event }) => event.subject === stream);
  return streams.map((stream) => of(stream).map(({ event }) => event.data.n));
}

test("a webhook may begin with the next event, and another PUT does not move it", async () => {
  const category = freshCategory();
  const streams = streamsOf(category);
  await appendEach(streams, 2);
  await feedOf(api, 16, `?category=${category}`);
  const definition = { category, after: "end" };
  const { after: kept, lag, checkpoint } = await begun(category, definition);
  assert.deepEqual([kept, lag, checkpoint.split(".").length], ["end", 0, PARTITIONS]);
  await appendEach(streams, 2, 3);
  const all = () => taken(streams).flat().length === 16;
  await receiver.until(all);
  // The same definition again, and then one without `after`.
  await begun(category, definition);
  assert.equal((await begun(category, { category })).after, "end");
  const refused = await put(category, { category, after: "0.0.0" });
  assertProblem(refused, 409, "consumer_after_fixed", "after");
  await settled(api, category);
  assert.deepEqual(
    taken(streams),
    streams.map(() => [3, 4]),
  );
  await api.request(`/v1/consumers/${category}`, { method: "DELETE" });
  await begun(category, { category });
  await receiver.until(() => taken(streams).flat().length === 16 + 32);
  const moved = await put(category, { category, after: "end" });
  assertProblem(moved, 409, "consumer_after_fixed", "after");
});

test("a webhook may begin after a checkpoint, also when it is put out of memory before anything came", async () => {
  const category = freshCategory();
  const streams = streamsOf(category);
  await appendEach(streams, 3);
  const { events, checkpoint } = await feedOf(api, 24, `?category=${category}`);
  await begun(category, { category: "nothing", after: checkpoint });
  await api.server.evict(category, "Consumer");
  const paused = await settled(api, category);
  assert.equal(paused.checkpoint, checkpoint);
  const half = `${category}half`;
  await begun(half, { category, after: events[11].checkpoint });
  await receiver.until(() => taken(streams).flat().length === 12);
  await settled(api, half);
  const expected = events.slice(12).map(({ stream, data }) => `${stream}@${data.n}`);
  const came = receiver.taken.map(({ event }) => `${event.subject}@${event.data.n}`);
  assert.deepEqual(
    came.filter((event) => event.startsWith(category)).toSorted(),
    expected.toSorted(),
  );
});

test("where nobody can begin is refused", async () => {
  for (const place of ["", "x", "0", "0.0", "0.0.0.0", "-1.0.0", "1000000.0.0", "END"]) {
    assertProblem(await put("nowhere", { after: place }), 400, "invalid_checkpoint", "after");
  }
  assertProblem(await put("nowhere", { end: "0.0.0" }), 400, "invalid_consumer", "end");
  assertProblem(await api.request("/v1/consumers/nowhere"), 404, "consumer_not_found");
});

test("a reactor in code begins after the checkpoint that it was given", async (t) => {
  const own = new Api();
  const entry = fileURLToPath(new URL("../support/after-worker.ts", import.meta.url));
  await own.start({ entry });
  t.after(() => own.stop());
  await own.appended("count-1", numbered(2));
  await own.appended("count-2", numbered(2, 3));
  await feedOf(own, 6);
  await settled(own, "late");
  const { events } = (await own.read("noted-late")).json;
  assert.deepEqual(
    events.map(({ data }: any) => data.n),
    [3, 4],
  );
});

test("a consumer that has passed over the last events has no lag, also when it comes back to memory", async () => {
  const category = freshCategory();
  await begun("rare", { category });
  const [stream = ""] = streamsOf(category);
  await api.appended(stream, numbered(1));
  await receiver.until(({ taken }) => taken.some(({ event }) => event.subject === stream));
  for (const other of streamsOf(freshCategory())) await api.appended(other, numbered(1));
  await settled(api, "rare");
  // At the first time, an alarm may bring it there. But no alarm is set for unwanted events.
  for (let time = 0; time < 2; time += 1) {
    await api.server.evict("rare", "Consumer");
    await settled(api, "rare");
  }
});
