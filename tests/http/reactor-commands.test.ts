/** Each command of a reactor has its number. Failures of earlier commands and appends of clients do not change it. */

import assert from "node:assert/strict";
import { test } from "node:test";
import { fileURLToPath } from "node:url";

import { assertProblem, type Reply, useApi } from "../support/api.ts";
import { commandKey } from "../support/command-key.ts";
import { settled } from "../support/consumers.ts";
import { told } from "../support/telling.ts";

const api = useApi({ entry: fileURLToPath(import.meta.resolve("../support/telling-worker.ts")) });

test("an append that cannot be sent is counted too: those after it take effect once, and it itself the next time", async () => {
  await api.appended("say-1", { type: "Said" });
  await settled(api, "telling");
  const found = await Promise.all(told.map(async (stream) => (await api.read(stream)).json.events));
  assert.deepEqual(
    found.map((events) => events.map(({ data }: any) => data.place)),
    [[1], [2], [3], [4]],
  );
});

/** The events that the reactor appended for a stream. */
async function toldOf(stream: string): Promise<any[]> {
  const found = await Promise.all(told.map(async (to) => (await api.read(to)).json.events));
  return found.flat().filter(({ type, data }: any) => type === "Told" && data.stream === stream);
}

test("a client that first appends under a reactor's key prevents no write", async () => {
  const event = { stream: "say-2", version: 1, id: "said-2" };
  const key = async (n: number) => ({ "Idempotency-Key": await commandKey("telling", event, n) });
  const client = { type: "FromClient" };
  const first: Reply[] = [];
  for (const [n, to] of told.entries()) first.push(await api.append(to, client, await key(n)));
  await api.appended(event.stream, { type: "Said", id: event.id });
  await settled(api, "telling");
  const places = (await toldOf(event.stream)).map(({ data }) => data.place);
  assert.deepEqual(places, [1, 2, 3, 4]);
  for (const [n, to] of told.entries()) {
    const again = await api.append(to, client, await key(n));
    assert.deepEqual([again.status, again.json], [201, { ...first[n]?.json, replayed: true }]);
    const other = await api.append(to, { type: "Told" }, await key(n));
    assertProblem(other, 422, "idempotency_key_reused");
    assert.equal((await api.request(`/v1/streams/${to}/verify`)).json.intact, true);
  }
});

test("a request cannot name the origin of its key", async () => {
  for (const key of ["reactor\tk", "client\tk"]) {
    const reply = await api.append("told-1", { type: "FromClient" }, { "Idempotency-Key": key });
    assertProblem(reply, 400, "invalid_idempotency_key", "Idempotency-Key");
  }
});

test("an event without room for its cause is refused and named, and others have their turn", async () => {
  const event = { stream: "say-3", id: "said-3" };
  const room = 16 * 1024 - '{"correlationId":""}'.length;
  const metadata = { correlationId: "c".repeat(room) };
  await api.appended(event.stream, { type: "Said", id: event.id, metadata });
  await api.appended("say-4", { type: "Said" });
  await settled(api, "telling");
  const { json } = await api.request("/v1/consumers/telling/dead-letters");
  const letters = json.deadLetters.map(({ event, error }: any) => [event.id, error]);
  assert.equal(letters.length, 1, JSON.stringify(letters));
  assert.equal(letters[0][0], event.id);
  assert.match(letters[0][1], /ids of the event's cause, the metadata is 1\d{4} bytes long/);
  assert.deepEqual(await toldOf(event.stream), []);
  assert.equal((await toldOf("say-4")).length, 4);
});
