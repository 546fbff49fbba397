/** Discarding dead letters. */

import assert from "node:assert/strict";
import { test } from "node:test";

import { Api, assertProblem, freshStream, numbered, useApi } from "../support/api.ts";
import { settled } from "../support/consumers.ts";
import { useReceiver } from "../support/receiver.ts";
import { sign } from "../support/token.ts";

const api = useApi();
const receiver = useReceiver();

/** Defines a webhook that gives up failed events, over its own category. */
async function webhook(onFailure = "skip"): Promise<string> {
  const name = freshStream("dead").replaceAll("-", "");
  const definition = { kind: "webhook", url: receiver.url, category: name, attempts: 1, onFailure };
  const body = JSON.stringify(definition);
  const reply = await api.request(`/v1/consumers/${name}`, { method: "PUT", body });
  assert.equal(reply.status, 200, reply.text);
  return name;
}

async function letters(name: string): Promise<any[]> {
  const reply = await api.request(`/v1/consumers/${name}/dead-letters`);
  assert.equal(reply.status, 200, reply.text);
  return reply.json.deadLetters;
}

function discard(name: string, id = "") {
  const path = `/v1/consumers/${name}/dead-letters${id}`;
  return api.request(path, { method: "DELETE" });
}

test("one dead letter is discarded, or all of them", async () => {
  receiver.answer = () => 500;
  const name = await webhook();
  await api.appended(`${name}-1`, numbered(3));
  await settled(api, name, ({ deadLetters }) => deadLetters === 3);
  const [first, second, third] = await letters(name);
  assert.equal((await discard(name, `/${second.id}`)).status, 204);
  assert.deepEqual(await letters(name), [first, third]);
  for (const unknown of [second.id, 99, 0, "9".repeat(30)]) {
    assertProblem(await discard(name, `/${unknown}`), 404, "dead_letter_not_found");
  }
  for (const wrong of ["x", "1.5", "-1"]) {
    assertProblem(await discard(name, `/${wrong}`), 400, "invalid_parameter", "id");
  }
  assert.equal((await discard(name)).status, 204);
  assert.equal((await discard(name)).status, 204, "also when there are none");
  assert.deepEqual(await letters(name), []);
  assertProblem(await discard("nobody"), 404, "consumer_not_found");
  assertProblem(await discard("nobody", "/1"), 404, "consumer_not_found");
  assertProblem(await discard(name, "?id=1"), 400, "invalid_parameter", "id");
  const read = await api.request(`/v1/consumers/${name}/dead-letters/1`);
  assertProblem(read, 405, "method_not_allowed");
  assert.equal(read.headers.get("allow"), "DELETE");
});

test("events held behind a discarded letter continue after a retry", async () => {
  receiver.answer = ({ data }) => (data.n === 1 ? 500 : 200);
  const name = await webhook("hold-stream");
  await api.appended(`${name}-1`, numbered(3));
  await settled(api, name, ({ deadLetters }) => deadLetters === 3);
  const [failed] = await letters(name);
  assert.equal((await discard(name, `/${failed.id}`)).status, 204);
  assert.deepEqual(
    (await letters(name)).map(({ reason }) => reason),
    ["held", "held"],
  );
  await api.appended(`${name}-1`, numbered(1, 4));
  await settled(api, name, ({ deadLetters }) => deadLetters === 3);
  await api.request(`/v1/consumers/${name}/retry`, { method: "POST" });
  await settled(api, name, ({ deadLetters }) => deadLetters === 0);
  const taken = receiver.taken.filter(({ event }) => event.subject === `${name}-1`);
  assert.deepEqual(
    taken.map(({ event }) => event.data.n),
    [2, 3, 4],
  );
});

test("to discard takes the scope admin", async (t) => {
  const guarded = new Api();
  const secret = "a secret of this test alone, long enough";
  await guarded.start({ vars: { SILLOK_SECRET: secret } });
  t.after(() => guarded.stop());
  for (const path of ["dead-letters", "dead-letters/1"]) {
    const headers = { Authorization: `Bearer ${sign({ scope: "read append" }, secret)}` };
    const reply = await guarded.request(`/v1/consumers/any/${path}`, { method: "DELETE", headers });
    assertProblem(reply, 403, "insufficient_scope");
  }
});
