/** The consumers and the documents of the package's client. */

import assert from "node:assert/strict";
import { test } from "node:test";
import { fileURLToPath } from "node:url";

import { connect, isSillokError } from "sillok";

import { freshStream, numbered, useApi } from "../support/api.ts";
import { useReceiver } from "../support/receiver.ts";

const entry = fileURLToPath(import.meta.resolve("../support/bank-worker.ts"));
const api = useApi({ entry });
const receiver = useReceiver();

const client = () => connect(api.server.url);

/** Defines a webhook over a category of its own. It gives an event up after one attempt. */
async function webhook(): Promise<string> {
  const name = freshStream("hook").replaceAll("-", "");
  const definition = { kind: "webhook", url: receiver.url, category: name, attempts: 1 };
  const reply = await api.request(`/v1/consumers/${name}`, {
    method: "PUT",
    body: JSON.stringify(definition),
  });
  assert.equal(reply.status, 200, reply.text);
  return name;
}

async function collected<T>(items: AsyncIterable<T>): Promise<T[]> {
  const all = [];
  for await (const item of items) all.push(item);
  return all;
}

async function codeOf(call: () => unknown): Promise<unknown> {
  try {
    await call();
  } catch (error) {
    return isSillokError(error) ? [error.code, error.field] : error;
  }
  return undefined;
}

test("the dead letters of a consumer are listed, retried and discarded", async () => {
  receiver.answer = () => 500;
  const name = await webhook();
  const consumer = client().consumer({ name });
  await api.appended(`${name}-1`, numbered(3));
  while ((await consumer.status()).deadLetters < 3);
  const { kind, status, failures } = await consumer.status();
  assert.deepEqual([consumer.name, kind, status, failures], [name, "webhook", "running", 0]);
  const letters = await collected(consumer.deadLetters());
  assert.deepEqual(
    letters.map(({ id, reason, attempts, event }) => [id, reason, attempts, event.version]),
    [1, 2, 3].map((place) => [place, "failed", 1, place]),
  );
  assert.deepEqual(await collected(consumer.deadLetters({ after: 1, limit: 1 })), [letters[1]]);
  assert.equal(await consumer.discard(2), true);
  assert.equal(await consumer.discard(2), false, "it is gone");
  receiver.answer = () => 200;
  await consumer.retry();
  while ((await consumer.status()).deadLetters > 0);
  assert.deepEqual(await collected(consumer.deadLetters()), []);
  assert.equal(await consumer.discard(), true);
});

test("a consumer is paused and resumed", async () => {
  receiver.answer = () => 200;
  const consumer = client().consumer(await webhook());
  await consumer.pause();
  assert.equal((await consumer.status()).status, "paused");
  await consumer.resume();
  assert.equal((await consumer.status()).status, "running");
});

test("the documents of a projection are read, listed and built again", async () => {
  const category = freshStream("acc").replaceAll("-", "");
  const balances = client().documents<{ cents: number }>("balances");
  const keys = [1, 2, 3].map((n) => `account-${category}${n}`);
  let min = { stream: "", version: 0 };
  for (const stream of keys) {
    min = await client().store.append(stream, { type: "Deposited", data: { cents: 7 } });
  }
  const [first = "", second = "", third = ""] = keys;
  assert.deepEqual(await balances.get(first, { min }), { cents: 7 });
  assert.equal(await balances.get(`account-${category}`), undefined);
  const prefix = `account-${category}`;
  const listed = await collected(balances.list({ prefix, min }));
  assert.deepEqual(
    listed,
    keys.map((key) => ({ key, document: { cents: 7 } })),
  );
  const rest = await collected(balances.list({ prefix, after: first, limit: 1 }));
  assert.deepEqual(
    rest.map(({ key }) => key),
    [second],
  );
  const projection = client().consumer("balances");
  await projection.rebuild();
  while ((await projection.status()).rebuild !== null);
  assert.deepEqual(await balances.get(third), { cents: 7 });
});

test("a wrong argument is refused with its name", async () => {
  const [consumer, documents] = [client().consumer("nobody"), client().documents("balances")];
  for (const [call, expected] of [
    [() => client().consumer(""), ["invalid_parameter", "consumer"]],
    [() => client().consumer(7 as never), ["invalid_parameter", "consumer"]],
    [() => client().documents(".."), ["invalid_parameter", "projection"]],
    [() => client().documents(undefined as never), ["invalid_parameter", "projection"]],
    [() => consumer.status(), ["consumer_not_found", undefined]],
    [() => consumer.discard(-1), ["invalid_parameter", "id"]],
    [() => consumer.deadLetters({ limit: -1 }).next(), ["invalid_parameter", "limit"]],
    [() => consumer.deadLetters({ from: 1 } as object).next(), ["invalid_parameter", "from"]],
    [() => client().consumer("tallying").rebuild(), ["not_a_projection", undefined]],
    [() => documents.get(""), ["invalid_document_key", "key"]],
    [() => documents.get(7 as never), ["invalid_document_key", "key"]],
    [() => documents.list({ limit: 1.5 }).next(), ["invalid_parameter", "limit"]],
    [() => documents.list({ prefix: 7 as never }).next(), ["invalid_parameter", "prefix"]],
    [() => client().documents("nobody").get("a"), ["consumer_not_found", undefined]],
  ] as const) {
    assert.deepEqual(await codeOf(call), expected, call.toString());
  }
});
