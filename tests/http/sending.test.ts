/** Webhooks and queues that the code of a Worker defines. */

import assert from "node:assert/strict";
import { after, before, test } from "node:test";
import { setTimeout as sleep } from "node:timers/promises";
import { fileURLToPath } from "node:url";

import { verifyWebhook } from "sillok";

import { Api, assertProblem } from "../support/api.ts";
import { settled, statusOf } from "../support/consumers.ts";
import { feedOf } from "../support/feed.ts";
import { type Received, useReceiver } from "../support/receiver.ts";
import { sign } from "../support/token.ts";

const SECRET = `whsec_${btoa("a secret of thirty-two bytes, ok")}`;
const entry = fileURLToPath(new URL("../support/sending-worker.ts", import.meta.url));
const receiver = useReceiver();
const api = new Api();
before(() => api.start({ queue: "EVENTS" }));
after(() => api.stop());

/** Deploys the Worker with webhooks and queues in its code, and with these variables beside the receiver's URL. */
function deploy(vars: Record<string, string>): Promise<void> {
  const all = { SILLOK_AUTH: "off", RECEIVER: receiver.url, ...vars };
  return api.server.restart({ entry, vars: all });
}

async function until(what: string, holds: () => Promise<boolean>): Promise<void> {
  const end = Date.now() + 60_000;
  while (!(await holds())) {
    assert(Date.now() < end, `60 seconds are over before ${what}`);
    await sleep(50);
  }
}

async function verified({ body, headers }: Received) {
  const request = new Request("https://shop.example/hook", { method: "POST", headers, body });
  const { event } = await verifyWebhook(request, SECRET);
  return `${event.stream}@${event.version} ${event.type}`;
}

test("a webhook that a request has defined stays in the way of one in code until it is deleted", async () => {
  const body = JSON.stringify({ kind: "webhook", url: receiver.url, category: "order" });
  const put = await api.request("/v1/consumers/large", { method: "PUT", body });
  assert.equal(put.status, 200, put.text);
  await deploy({ LARGE_SECRET: SECRET });
  const { status, lastError } = await statusOf(api, "large");
  assert.equal(status, "stopped");
  assert.match(lastError.message, /delete the webhook first/);
  const deleted = await api.request("/v1/consumers/large", { method: "DELETE" });
  assert.equal(deleted.status, 204, deleted.text);
  assert.equal((await statusOf(api, "large")).status, "running");
});

test("a webhook in code sends what it follows, signed with the secret of its environment", async () => {
  await api.appended("late-1", { type: "Early", data: null });
  await feedOf(api, 1);
  await api.appended("order-1", [
    { type: "Placed", data: { total: 30 } },
    { type: "Paid", data: null },
  ]);
  await api.appended("order-1", { type: "Placed", data: { total: 40 } });
  receiver.answer = (_, earlier) => (earlier === 0 ? 503 : 204);
  await settled(api, "large");
  const sent = await Promise.all(receiver.taken.map(verified));
  assert.deepEqual(sent, ["order-1@1 Placed", "order-1@3 Placed"]);
  const status = await statusOf(api, "large");
  const { kind, url, category, types, concurrency, secret } = status;
  assert.deepEqual(
    [kind, url, category, types, concurrency, secret],
    ["webhook", `${receiver.url}/`, "order", ["Placed"], 1, undefined],
  );
});

test("a request neither changes nor deletes a webhook or a queue in code", async () => {
  for (const [name, body] of [
    ["large", { kind: "webhook", url: receiver.url }],
    ["audit", { kind: "queue", binding: "EVENTS" }],
  ] as const) {
    const path = `/v1/consumers/${name}`;
    const put = await api.request(path, { method: "PUT", body: JSON.stringify(body) });
    assertProblem(put, 409, "consumer_defined_in_code");
    assertProblem(await api.request(path, { method: "DELETE" }), 409, "consumer_defined_in_code");
  }
});

test("a queue in code gets the events; an attempt without a queue has failed", async () => {
  let bodies: string[] = [];
  await until("3 messages came", async () => {
    bodies = (await api.request("/received")).json;
    return bodies.length >= 3;
  });
  const events = bodies.map((body) => JSON.parse(body)).toSorted((a, b) => a.sequence - b.sequence);
  const types = events.map(({ type, subject }) => `${subject} ${type}`);
  assert.deepEqual(types, ["order-1 Placed", "order-1 Paid", "order-1 Placed"]);
  const { kind } = await settled(api, "audit");
  assert.equal(kind, "queue");
  const { deadLetters, lastError } = await settled(api, "lost");
  assert.equal(deadLetters, 3);
  assert.match(lastError.message, /`queue` of lost returned no queue/);
});

test("a webhook without a secret pauses, loses nothing, and continues after a resume", async () => {
  const pausedFor = async (name: string, reason: RegExp) => {
    await until(`${name} paused`, async () => (await statusOf(api, name)).status === "paused");
    const { lastError, deadLetters } = await statusOf(api, name);
    assert.match(lastError.message, reason);
    assert.equal(deadLetters, 0);
  };
  await pausedFor("closed", /the webhook has no valid `secret`/);
  await deploy({ LARGE_SECRET: "whsec_short" });
  await api.appended("order-2", { type: "Placed", data: null });
  await pausedFor("large", /the webhook has no valid `secret`/);
  await deploy({ LARGE_SECRET: SECRET });
  const resumed = await api.request("/v1/consumers/large/resume", { method: "POST" });
  assert.equal(resumed.status, 200, resumed.text);
  await settled(api, "large");
  assert.equal(await verified(receiver.taken.at(-1) as Received), "order-2@1 Placed");
});

test("a webhook in code begins after its checkpoint, without a secret in any answer", async () => {
  await api.appended("late-1", { type: "Late", data: null });
  await settled(api, "later");
  const late = receiver.taken.filter(({ event }) => event.subject === "late-1");
  assert.deepEqual(await Promise.all(late.map(verified)), ["late-1@2 Late"]);
  const { after: begins, onFailure } = await statusOf(api, "later");
  assert.deepEqual([begins, onFailure], ["2", "stop"]);
  const { text } = await api.request("/v1/consumers");
  assert(!text.includes(SECRET));
});

test("the code of a webhook gets the tenant, and a URL that is not allowed pauses it", async () => {
  const secret = "a secret of the tests, of more than 32 bytes";
  await deploy({ SILLOK_AUTH: "", SILLOK_SECRET: secret, LARGE_SECRET: SECRET });
  const token = sign({ scope: "admin", tenant: "north" }, secret);
  const headers = { Authorization: `Bearer ${token}` };
  const request = (path: string) => api.request(path, { headers });
  await api.appended("order-1", { type: "Placed", data: null }, headers);
  const status = await settled({ request }, "large", ({ status }) => status === "paused");
  assert.equal(status.url, `${receiver.url}/north`);
  assert.match(status.lastError.message, /set another URL, then resume/);
});
