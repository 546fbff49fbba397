/** A consumer in code does not continue from the place of a consumer of another kind. */

import assert from "node:assert/strict";
import { beforeEach, test } from "node:test";
import { fileURLToPath } from "node:url";

import { assertProblem, useApiForEach } from "../support/api.ts";
import { settled, statusOf } from "../support/consumers.ts";
import { useReceiver } from "../support/receiver.ts";

const entry = fileURLToPath(new URL("../support/kinds-worker.ts", import.meta.url));
const api = useApiForEach({ entry });
const receiver = useReceiver();
beforeEach(() => {
  receiver.received.length = 0;
});

/** Deploys code in which the consumer is of this kind. */
function deploy(KIND: string): Promise<void> {
  return api.server.restart({ vars: { SILLOK_AUTH: "off", KIND } });
}

function consumer(method: string, body?: object): Promise<any> {
  return api.request("/v1/consumers/changing", { method, body: JSON.stringify(body) });
}

async function define(): Promise<void> {
  const reply = await consumer("PUT", { kind: "webhook", url: receiver.url, category: "change" });
  assert.equal(reply.status, 200, reply.text);
}

/** Appends an event that all consumers follow, and waits until the unchanged consumer has it. */
async function append(): Promise<void> {
  await api.appended("change-1", { type: "Changed" });
  await settled(api, "beside");
}

async function listed(): Promise<string[]> {
  const reply = await api.request("/v1/consumers");
  assert.equal(reply.status, 200, reply.text);
  return reply.json.consumers.map(({ name, kind, status }: any) => `${name} ${kind} ${status}`);
}

async function assertRefused(kind: string, earlier: string): Promise<void> {
  const status = await statusOf(api, "changing");
  assert.deepEqual([status.status, status.checkpoint, status.kind], ["stopped", "0", kind]);
  const message = `a ${earlier} has this name, and a consumer cannot change its kind; delete the ${earlier} first, or choose another name`;
  assert.equal(status.lastError.message, message);
  assert.deepEqual(await listed(), ["beside projection running", `changing ${kind} stopped`]);
  for (const path of ["pause", "resume", "retry", "rebuild"]) {
    const reply = await api.request(`/v1/consumers/changing/${path}`, { method: "POST" });
    assertProblem(reply, 409, "consumer_kind_fixed", "kind");
  }
  assertProblem(await counted(), 409, "consumer_kind_fixed", "kind");
  const letters = await api.request("/v1/consumers/changing/dead-letters");
  assertProblem(letters, 409, "consumer_kind_fixed", "kind");
}

function counted(): Promise<any> {
  return api.request("/v1/projections/changing/documents/change-1");
}

test("a projection does not take over from a webhook, which continues from its place", async () => {
  await define();
  await append();
  await settled(api, "changing");
  await deploy("projection");
  await append();
  await assertRefused("projection", "webhook");
  await deploy("");
  await append();
  await settled(api, "changing");
  const versions = () => receiver.taken.map(({ event }) => event.streamversion);
  assert.deepEqual(versions(), ["1", "2", "3"]);
  await deploy("projection");
  assert.equal((await consumer("DELETE")).status, 204);
  await settled(api, "changing");
  assert.equal((await counted()).json, 3, "it begins anew");
  await append();
  await settled(api, "changing");
  assert.equal((await counted()).json, 4);
  assertProblem(await consumer("DELETE"), 409, "consumer_defined_in_code");
  assert.deepEqual(versions(), ["1", "2", "3"]);
  await deploy("");
  assertProblem(await consumer("GET"), 404, "consumer_not_found");
});

test("a webhook that has done nothing yet has its name too", async () => {
  await define();
  await deploy("reactor");
  await append();
  await assertRefused("reactor", "webhook");
});

test("a reactor does not take over from a projection, nor a webhook from what code has left", async () => {
  await deploy("projection");
  await append();
  await settled(api, "changing");
  await deploy("reactor");
  await append();
  await assertRefused("reactor", "projection");
  assert.equal(await api.version("echo-1"), 0);
  await deploy("projection");
  await append();
  await settled(api, "changing");
  assert.equal((await counted()).json, 3);
  await deploy("");
  const webhook = { kind: "webhook", url: receiver.url };
  assertProblem(await consumer("PUT", webhook), 409, "consumer_kind_fixed", "kind");
  assert.equal((await consumer("DELETE")).status, 204, "what the code has left");
  assertProblem(await consumer("DELETE"), 404, "consumer_not_found");
  await define();
  await settled(api, "changing");
  assert.equal(receiver.taken.length, 3);
});
