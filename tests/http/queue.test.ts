/** Events in a real queue: as text, so that no number is rounded, and within the limits of the queue. */

import assert from "node:assert/strict";
import { test } from "node:test";
import { setTimeout as sleep } from "node:timers/promises";
import { fileURLToPath } from "node:url";

import { assertProblem, numbered, useApi } from "../support/api.ts";
import { settled } from "../support/consumers.ts";
import { feedOf } from "../support/feed.ts";

const entry = fileURLToPath(new URL("../support/queue-worker.ts", import.meta.url));
const api = useApi({ entry, queue: "EVENTS" });

async function defined(name: string, definition: object): Promise<void> {
  const body = JSON.stringify({ kind: "queue", firstDelay: 10, longestDelay: 10, ...definition });
  const reply = await api.request(`/v1/consumers/${name}`, { method: "PUT", body });
  assert.equal(reply.status, 200, reply.text);
}

/**
 * Appends one event after the other. Each append waits until the previous event is in the feed, so the feed has the same order.
 */
async function appendInOrder(category: string, events: [string, unknown][]): Promise<void> {
  for (const [place, [stream, event]] of events.entries()) {
    await api.appended(stream, event);
    await feedOf(api, place + 1, `?category=${category}`);
  }
}

/** The messages of a category, as soon as there are this many. */
async function received(category: string, count: number): Promise<string[]> {
  const end = Date.now() + 60_000;
  for (;;) {
    const { json } = await api.request("/received");
    const bodies = json.map(({ body }: any) => body);
    const mine = bodies.filter((body: string) => body.includes(`"subject":"${category}-`));
    if (mine.length >= count) return mine;
    assert(Date.now() < end, `${mine.length} of ${count} messages came`);
    await sleep(50);
  }
}

/** The numbers of the events of these messages, in the order of their positions. A queue has no order of its own. */
function numbers(messages: string[]): number[] {
  const events = messages.map((body) => JSON.parse(body));
  const inOrder = events.toSorted((a, b) => Number(a.sequence) - Number(b.sequence));
  return inOrder.map(({ data }) => data.n);
}

/** The sizes of the messages of each batch, after the first `since` batches. */
async function batches(since = 0): Promise<number[][]> {
  return (await api.request("/batches")).json.slice(since);
}

test("a queue gets every event, as it was written; one that is too large becomes a dead letter", async () => {
  const late = { firstDelay: 3_600_000, longestDelay: 3_600_000 };
  await defined("queue", { binding: "EVENTS", category: "order", ...late });
  await appendInOrder("order", [
    ["order-1", '{"type":"Placed","data":{"total":1e400}}'],
    ["order-1", { type: "Filled", data: "x".repeat(130_000) }],
    ["order-2", { type: "Placed", data: null }],
  ]);
  await api.appended("account-1", { type: "Opened" });
  const messages = await received("order", 2);
  assert.deepEqual(
    messages.map((body) => /"subject":"(.*?)".*"data":(.*)}$/.exec(body)?.slice(1)),
    [
      ["order-1", '{"total":1e400}'],
      ["order-2", "null"],
    ],
  );
  const { deadLetters, lastError } = await settled(api, "queue");
  assert.equal(deadLetters, 1);
  assert.match(lastError.message, /the most for a queue is 127800$/);
  // The event was refused at the first attempt.
  const { json } = await api.request("/v1/consumers/queue/dead-letters");
  assert.equal(json.deadLetters[0].attempts, 1);
});

test("events go to a queue a hundred at once", async () => {
  const events = numbered(230);
  await api.appended("batch-1", events);
  await feedOf(api, events.length, "?category=batch");
  const { length } = await batches();
  await defined("batches", { binding: "EVENTS", category: "batch" });
  assert.deepEqual(
    numbers(await received("batch", 230)),
    events.map(({ data }) => data.n),
  );
  await settled(api, "batches");
  const counts = (await batches(length)).map((batch) => batch.length);
  // A page of the feed has 200 events.
  assert.deepEqual(counts, [100, 100, 30]);
});

test("a batch keeps to what a queue takes in bytes, and one that can never fit fails alone", async () => {
  const sizes = [60_000, 60_000, 60_000, 60_000, 120_000, 130_000, 120_000, 127_000, 10];
  const large = sizes.map((bytes, place): [string, unknown] => {
    const data = { n: place, text: "x".repeat(bytes) };
    return [`large-${place}`, { type: "Filled", data }];
  });
  await appendInOrder("large", large);
  const { length } = await batches();
  await defined("large", { binding: "EVENTS", category: "large", attempts: 2 });
  assert.deepEqual(numbers(await received("large", 8)), [0, 1, 2, 3, 4, 6, 7, 8]);
  const { deadLetters, lastError } = await settled(api, "large");
  assert.equal(deadLetters, 1);
  assert.match(lastError.message, /the most for a queue is 127800$/);
  const sent = await batches(length);
  assert.equal(sent[0]?.length, 3, JSON.stringify(sent));
  for (const batch of sent) assert(batch.reduce((sum, bytes) => sum + bytes, 0) < 240_000);
});

test("only the event that spoils a batch becomes a dead letter, and its stream is held", async () => {
  const texts = ["a", "b", "spoilt", "c", "d"];
  const events = texts.map((text, place): [string, unknown] => {
    return [`spoil-${place % 2}`, { type: "Told", data: { n: place, text } }];
  });
  await appendInOrder("spoil", events);
  const onFailure = "hold-stream";
  await defined("spoil", { binding: "EVENTS", category: "spoil", attempts: 2, onFailure });
  assert.deepEqual(numbers(await received("spoil", 3)), [0, 1, 3]);
  await settled(api, "spoil", ({ lag }) => lag === 0);
  const { json } = await api.request("/v1/consumers/spoil/dead-letters");
  assert.deepEqual(
    json.deadLetters.map(({ reason, attempts, event }: any) => [reason, attempts, event.data.n]),
    [
      ["failed", 2, 2],
      ["held", 0, 4],
    ],
  );
});

test("a binding that is not a queue of the deployment is refused", async () => {
  for (const binding of ["", "JOURNAL", "SILLOK_AUTH", "NOPE", "constructor"]) {
    const body = JSON.stringify({ kind: "queue", binding });
    const reply = await api.request("/v1/consumers/none", { method: "PUT", body });
    assertProblem(reply, 400, "invalid_consumer", "binding");
  }
  assertProblem(await api.request("/v1/consumers/none"), 404, "consumer_not_found");
});
