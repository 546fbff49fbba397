/** Events in a real queue: as text, so that no number is rounded, and within the queue's limit. */

import assert from "node:assert/strict";
import { test } from "node:test";
import { setTimeout as sleep } from "node:timers/promises";
import { fileURLToPath } from "node:url";

import { useApi } from "../support/api.ts";

const entry = fileURLToPath(new URL("../support/queue-worker.ts", import.meta.url));
const api = useApi({ entry, queue: "EVENTS" });

async function defined(name: string, definition: object): Promise<void> {
  const body = JSON.stringify({ kind: "queue", firstDelay: 10, longestDelay: 10, ...definition });
  const reply = await api.request(`/v1/consumers/${name}`, { method: "PUT", body });
  assert.equal(reply.status, 200, reply.text);
}

/** Waits for a consumer to have seen everything. */
async function quiet(name: string): Promise<any> {
  const end = Date.now() + 60_000;
  for (;;) {
    const { json } = await api.request(`/v1/consumers/${name}`);
    if (json.lag === 0 && json.retryAt === null) return json;
    assert(Date.now() < end, JSON.stringify(json));
    await sleep(20);
  }
}

async function received(count: number): Promise<string[]> {
  const end = Date.now() + 60_000;
  for (;;) {
    const { json } = await api.request("/received");
    if (json.length >= count) return json.map(({ body }: any) => body);
    assert(Date.now() < end, `${json.length} of ${count} messages came`);
    await sleep(50);
  }
}

test("a queue gets every event, as it was written; one that is too large becomes a dead letter", async () => {
  await defined("queue", { binding: "EVENTS", category: "order", attempts: 2 });
  await api.appended("order-1", '{"type":"Placed","data":{"total":1e400}}');
  await api.appended("order-1", { type: "Filled", data: "x".repeat(130_000) });
  await api.appended("order-2", { type: "Placed", data: null });
  await api.appended("account-1", { type: "Opened" });
  const messages = await received(2);
  assert.deepEqual(
    messages.map((body) => /"subject":"(.*?)".*"data":(.*)}$/.exec(body)?.slice(1)),
    [
      ["order-1", '{"total":1e400}'],
      ["order-2", "null"],
    ],
  );
  const { deadLetters, lastError } = await quiet("queue");
  assert.equal(deadLetters, 1);
  assert.match(lastError.message, /more than a queue's message may$/);
});

test("a binding that is not there is said", async () => {
  await defined("nowhere", { binding: "NOTHING", category: "invoice", attempts: 1 });
  await api.appended("invoice-1", { type: "Sent" });
  const { deadLetters, lastError } = await quiet("nowhere");
  assert.deepEqual(
    [deadLetters, lastError.message],
    [1, "there is no binding NOTHING in wrangler.toml"],
  );
});
