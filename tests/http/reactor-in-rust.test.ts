/**
 * The Worker of examples/delays-rust. Its reactor handles each event at least once, and each of its appends takes effect once.
 * It can also have consumers in TypeScript.
 */

import assert from "node:assert/strict";
import { test } from "node:test";
import { fileURLToPath } from "node:url";

import { Api, freshStream } from "../support/api.ts";
import { commandKey } from "../support/command-key.ts";
import { settled } from "../support/consumers.ts";
import { Receiver } from "../support/receiver.ts";

const config = fileURLToPath(new URL("../../examples/delays-rust/wrangler.toml", import.meta.url));

/** Starts a Sillok whose reactor appends and then calls the receiver. */
async function start(t: { after(stop: () => Promise<void>): void }): Promise<[Api, Receiver]> {
  const receiver = new Receiver();
  await receiver.start();
  t.after(() => receiver.stop());
  const api = new Api();
  await api.start({ config, vars: { SILLOK_AUTH: "off", PAGER_URL: receiver.url } });
  t.after(() => api.stop());
  return [api, receiver];
}

/** Appends the late departure of a flight, and returns the event's id. */
async function leave(api: Api, dest: string): Promise<string> {
  const data = { flight: "UA1545", origin: "EWR", dest, delayMinutes: 45 };
  const plane = freshStream("plane");
  await api.appended(plane, { type: "FlightDeparted", data });
  return (await api.read(plane)).json.events[0].id;
}

async function assertHandled(api: Api, receiver: Receiver, cause: string): Promise<void> {
  await settled(api, "warnings");
  const { events } = (await api.read("desk-IAH")).json;
  assert.deepEqual(
    events.map(({ type, data, metadata }: any) => [type, data, metadata.causationId]),
    [["LateFlightExpected", { flight: "UA1545", delayMinutes: 45 }, cause]],
  );
  const ids = new Set(receiver.received.map(({ headers }) => headers["idempotency-key"]));
  assert.equal(ids.size, 1, "a repeat has the id of the first");
  assert.match([...ids].join(), /^[0-9a-f]{32}$/);
}

test("an attempt that fails after its append is repeated, and the append is not", async (t) => {
  const [api, receiver] = await start(t);
  receiver.answer = (_, earlier) => [500, "drop" as const][earlier] ?? 204;
  const cause = await leave(api, "IAH");
  await receiver.until(() => receiver.received.length === 3);
  await assertHandled(api, receiver, cause);
});

test("so it is when workerd was killed between the append and its end", async (t) => {
  const [api, receiver] = await start(t);
  receiver.answer = () => "hang";
  const cause = await leave(api, "IAH");
  await receiver.until(() => receiver.received.length === 1);
  await api.server.kill();
  receiver.answer = () => 204;
  await api.server.restart();
  await receiver.until(() => receiver.received.length === 2);
  await assertHandled(api, receiver, cause);
});

test("an append that can never succeed is given up at once", async (t) => {
  const [api, receiver] = await start(t);
  receiver.answer = () => 204;
  // The name of the desk's stream would be too long.
  await leave(api, "I".repeat(200));
  const { deadLetters } = await settled(api, "warnings", ({ lag }) => lag === 0);
  assert.equal(deadLetters, 1);
  const { json } = await api.request("/v1/consumers/warnings/dead-letters");
  assert.deepEqual([json.deadLetters[0].attempts, json.deadLetters[0].reason], [1, "failed"]);
  assert.match(json.deadLetters[0].error, /205 bytes/);
});

test("a client that first appends under the reactor's key prevents no write", async (t) => {
  const [api, receiver] = await start(t);
  receiver.answer = () => 204;
  const event = { stream: freshStream("plane"), version: 1, id: "departed-1" };
  const headers = { "Idempotency-Key": await commandKey("warnings", event, 0) };
  await api.appended("desk-IAH", { type: "FromClient" }, headers);
  const data = { flight: "UA1545", origin: "EWR", dest: "IAH", delayMinutes: 45 };
  await api.appended(event.stream, { type: "FlightDeparted", id: event.id, data });
  await settled(api, "warnings");
  const { events } = (await api.read("desk-IAH")).json;
  assert.deepEqual(
    events.map(({ type }: any) => type),
    ["FromClient", "LateFlightExpected"],
  );
  const again = await api.append("desk-IAH", { type: "FromClient" }, headers);
  assert.deepEqual([again.json.version, again.json.replayed], [1, true]);
});

test("consumers in TypeScript run beside those in Rust, under other names", async (t) => {
  const api = new Api();
  const entry = fileURLToPath(new URL("../support/mixed-worker.ts", import.meta.url));
  await api.start({ config, entry });
  t.after(() => api.stop());
  const plane = freshStream("plane");
  const data = { flight: "UA1545", origin: "EWR", dest: "IAH", delayMinutes: 45 };
  await api.appended(plane, { type: "FlightArrived", data });
  const document = async (projection: string, key: string) =>
    (await api.request(`/v1/projections/${projection}/documents/${key}?min=${plane}@1`)).json;
  assert.equal(await document("counts", plane), 1);
  assert.equal((await document("delays", "IAH")).arrivalDelayMinutes, 45);
  const { text } = await api.request("/same-name");
  assert.equal(text, 'TypeError: two consumers have the name "delays"');
});

test("consumers in Rust are listed, and cannot be put or deleted", async (t) => {
  const [api] = await start(t);
  await leave(api, "IAH");
  const { consumers } = (await api.request("/v1/consumers")).json;
  assert.deepEqual(
    consumers.map(({ name, kind, category, types }: any) => [name, kind, category, types]),
    [
      ["delays", "projection", "plane", ["FlightDeparted", "FlightArrived", "FlightCancelled"]],
      ["warnings", "reactor", "plane", ["FlightDeparted"]],
    ],
  );
  const removed = await api.request("/v1/consumers/delays", { method: "DELETE" });
  assert.equal(removed.json.code, "consumer_defined_in_code", removed.text);
});
