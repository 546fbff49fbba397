/** Attempts that never end, alarms of consumers that cannot be opened, and consumers that stay unchanged. */

import assert from "node:assert/strict";
import { beforeEach, test } from "node:test";
import { setTimeout as sleep } from "node:timers/promises";
import { fileURLToPath } from "node:url";

import { assertProblem, numbered, priceOf, useApiForEach } from "../support/api.ts";
import { settled, statusOf } from "../support/consumers.ts";
import { useReceiver } from "../support/receiver.ts";

const entry = fileURLToPath(import.meta.resolve("../support/attempts-worker.ts"));
const api = useApiForEach({ entry });
const receiver = useReceiver();
beforeEach(() => {
  receiver.received.length = 0;
  receiver.answer = () => 204;
});

function put(definition: object): Promise<any> {
  const webhook = { kind: "webhook", url: receiver.url, category: "count", ...definition };
  return api.request("/v1/consumers/hook", { method: "PUT", body: JSON.stringify(webhook) });
}

function deploy(JOURNAL_PARTITIONS: string): Promise<void> {
  return api.server.restart({ vars: { SILLOK_AUTH: "off", JOURNAL_PARTITIONS } });
}

test("a handler that never ends fails in time, and others have their turn", async () => {
  for (const [stream, type] of [
    ["waited-1", "Endless"],
    ["waited-1", "Ended"],
    ["waited-2", "Ended"],
  ] as const) {
    await api.appended(stream, { type });
  }
  const { timeout, deadLetters, lastError } = await settled(api, "patient");
  assert.deepEqual([timeout, deadLetters], [200, 1]);
  assert.equal(lastError.message, "the attempt did not end within 200 ms");
  const { deadLetters: letters } = (await api.request("/v1/consumers/patient/dead-letters")).json;
  assert.deepEqual(
    letters.map(({ attempts, event }: any) => [attempts, event.type]),
    [[2, "Endless"]],
  );
  for (const stream of ["seen-1", "seen-2"]) assert.equal(await api.version(stream), 1);
});

test("a command that can never succeed is given up at once, and holds up nothing", async () => {
  for (const type of ["Large", "Invalid", "Taken"]) await api.appended("refuse-1", { type });
  const { status, deadLetters } = await settled(api, "refused");
  assert.deepEqual([status, deadLetters], ["running", 2]);
  const { deadLetters: letters } = (await api.request("/v1/consumers/refused/dead-letters")).json;
  assert.deepEqual(
    letters.map(({ reason, attempts, event }: any) => [reason, attempts, event.type]),
    [
      ["failed", 1, "Large"],
      ["failed", 1, "Invalid"],
    ],
  );
  assert.equal(await api.version("taken-1"), 1);
});

test("a receiver that does not answer in time is sent the event again", async () => {
  receiver.answer = (_, earlier) => (earlier < 2 ? "hang" : 204);
  assert.equal((await put({ timeout: 200, firstDelay: 10 })).json.timeout, 200);
  await api.appended("count-1", numbered(1));
  await receiver.until(({ taken }) => taken.length === 1);
  assert.equal(receiver.received.length, 3);
  for (const timeout of [0, 600_001, 1.5, "1s"]) {
    const reply = await put({ timeout });
    const code = typeof timeout === "number" && Number.isInteger(timeout) ? "policy" : "consumer";
    assertProblem(reply, 400, `invalid_${code}`, "timeout");
  }
});

test("to put a consumer again as it is repeats nothing", async () => {
  const definition = { firstDelay: 10, longestDelay: 10, attempts: 100 };
  assert.equal((await put(definition)).status, 200);
  receiver.answer = (event) => (event.data.n === 30 ? 503 : 204);
  await api.appended("count-1", numbered(40));
  await receiver.until(({ received }) => received.some(({ status }) => status === 503));
  for (let round = 0; round < 3; round += 1) assert.equal((await put(definition)).status, 200);
  receiver.answer = () => 204;
  assert.equal((await put({ ...definition, attempts: 99 })).status, 200);
  await receiver.until(({ taken }) => taken.length === 40);
  await settled(api, "hook");
  assert.deepEqual(
    receiver.taken.map(({ event }) => event.data.n),
    numbered(40).map(({ data }) => data.n),
  );
});

test("a consumer that cannot be opened is listed, and hides no other", async () => {
  await api.stop();
  await api.start({ entry, vars: { SILLOK_AUTH: "off", JOURNAL_PARTITIONS: "2" } });
  const { consumers } = (await api.request("/v1/consumers")).json;
  assert.deepEqual(
    consumers.map(({ name, status }: any) => [name, status]),
    [
      ["displaced", "stopped"],
      ["patient", "running"],
      ["refused", "running"],
    ],
  );
  assert.match((await statusOf(api, "displaced")).lastError.message, /checkpoint/);
  const resumed = await api.request("/v1/consumers/displaced/resume", { method: "POST" });
  assertProblem(resumed, 400, "invalid_checkpoint", "after");
});

test("a waiting retry is made after a deployment in which no consumer could be opened", async () => {
  receiver.answer = () => 503;
  await put({ firstDelay: 2000, longestDelay: 2000, attempts: 100 });
  await api.appended("count-1", numbered(1));
  // The alarm of the stream has rung by then, so nothing else wakes the consumer.
  await sleep(6000);
  const attempts = receiver.received.length;
  await receiver.until(({ received }) => received.length > attempts);
  await deploy("two");
  assertProblem(await api.request("/v1/consumers/hook"), 500, "invalid_configuration");
  // The consumer's alarm rings in vain.
  await sleep(2500);
  receiver.answer = () => 204;
  await deploy("1");
  await receiver.until(({ taken }) => taken.length === 1);
});

test("consumers report a changed number of partitions too", async () => {
  await put({});
  await api.appended("count-1", numbered(1));
  await settled(api, "hook");
  await deploy("2");
  assertProblem(await api.request("/v1/consumers/hook"), 500, "journal_partitions_changed");
});

test("a request to a consumer has its price", async () => {
  await put({});
  await api.appended("count-1", numbered(1));
  await settled(api, "hook");
  const act = (name: string, method = "POST") =>
    api.request(`/v1/consumers/hook${name}`, { method }).then(priceOf);
  assert.ok((await act("/pause")).written >= 1);
  assert.ok((await act("/retry")).written >= 1);
  assert.ok((await act("/resume")).written >= 1);
  const missing = await api.request("/v1/consumers/hook/dead-letters/7", { method: "DELETE" });
  assertProblem(missing, 404, "dead_letter_not_found");
  assert.equal(priceOf(missing).written, 0);
  assert.equal((await act("/dead-letters", "DELETE")).written, 0);
  assert.equal((await act("", "GET")).written, 0);
  priceOf(await api.request("/v1/consumers/hook", { method: "DELETE" }));
});
