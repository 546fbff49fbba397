/** A reactor in TypeScript sends commands to an aggregate. */

import assert from "node:assert/strict";
import { test } from "node:test";
import { fileURLToPath } from "node:url";

import { assertProblem, streamPath, useApi } from "../support/api.ts";
import { commandKey } from "../support/command-key.ts";
import { settled } from "../support/consumers.ts";
import { TOTAL } from "../support/totals.ts";

const api = useApi({ entry: fileURLToPath(import.meta.resolve("../support/totals-worker.ts")) });
const traceparent = "00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01";

test("a reactor's command takes effect once, under an id that no client can use up", async () => {
  const source = { stream: "tally-1", version: 1, id: "added-1" };
  const key = await commandKey("totals", source, 0);
  const fromClient = {
    method: "POST",
    body: JSON.stringify({ type: "Add", data: { n: 1 } }),
    headers: { "Idempotency-Key": key },
  };
  const path = `${streamPath(TOTAL)}/commands`;
  assert.equal((await api.request(path, fromClient)).json.version, 1);
  const metadata = { correlationId: "c-1", traceparent };
  const added = { type: "Added", id: source.id, data: { n: 5 }, metadata };
  await api.appended(source.stream, added);
  await settled(api, "totals");
  assert.equal((await api.request(`${streamPath(TOTAL)}/state`)).json.state, 6);
  const [, event] = (await api.read(TOTAL)).json.events;
  assert.deepEqual(event.metadata, { correlationId: "c-1", causationId: key, traceparent });
  assert.deepEqual((await api.read("seen")).json.events[0].data, { n: 5 });
  const other = { ...fromClient, body: JSON.stringify({ type: "Add", data: { n: 2 } }) };
  assertProblem(await api.request(path, other), 422, "idempotency_key_reused");
});

test("an event whose command is rejected is given up at once", async () => {
  await api.appended("tally-2", { type: "Added", data: { n: 13 } });
  await settled(api, "totals", ({ lag, deadLetters }) => lag === 0 && deadLetters === 1);
  const [letter] = (await api.request("/v1/consumers/totals/dead-letters")).json.deadLetters;
  assert.equal(letter.attempts, 1);
  assert.match(letter.error, /unlucky/);
});
