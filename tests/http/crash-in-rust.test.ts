/** A handler in Rust that crashes the engine has failed, like one that returns an error. Other consumers continue. */

import assert from "node:assert/strict";
import { test } from "node:test";
import { setTimeout as sleep } from "node:timers/promises";
import { fileURLToPath } from "node:url";

import { freshStream, numbered, useApi } from "../support/api.ts";
import { settled } from "../support/consumers.ts";

const config = fileURLToPath(new URL("../crashes/wrangler.toml", import.meta.url));
const api = useApi({ config });

const REASONS = {
  panic: /^the attempt was cut off: panicked at .*:\n?the poison was taken$/s,
  recursion: /^the attempt was cut off: (RangeError: Maximum call stack|RuntimeError: )/,
  memory: /^the attempt was cut off: (panicked at .*memory allocation|RuntimeError: unreachable)/s,
};
let poisons = 0;

async function until(holds: () => Promise<boolean>): Promise<void> {
  for (const end = Date.now() + 60_000; !(await holds()); await sleep(20)) {
    assert(Date.now() < end, "it did not come about");
  }
}

test("consumers go on after one crash after the other, whatever crashes and whatever else is under way", async () => {
  const ways = ["panic", "recursion", "memory", "panic", "panic", "recursion", "recursion"];
  let isOver = false;
  const load = (async () => {
    for (let n = 1; !isOver; n += 1) {
      // A crash also ends this request if it runs in the engine at that moment.
      await api.append(`other-${n % 5}`, { type: "Counted", data: { n } });
      await sleep(20);
    }
  })();
  for (const how of ways) {
    const stream = freshStream("poisoned");
    await until(async () => {
      const events = [...numbered(1), { type: "Poison", data: { how } }, ...numbered(1, 2)];
      const headers = { "Idempotency-Key": stream };
      return (await api.append(stream, events, headers)).status === 201;
    });
    poisons += 1;
    await sleep(200);
  }
  isOver = true;
  await load;
  for (const name of ["counts", "echoes"]) {
    const isDone = ({ lag, deadLetters }: any) => lag === 0 && deadLetters === poisons;
    assert.equal((await settled(api, name, isDone)).status, "running");
  }
  assert.deepEqual((await settled(api, "beside")).deadLetters, 0);
});

for (const [how, reason] of Object.entries(REASONS)) {
  test(`an event that is poison by ${how} becomes a dead letter, and others go on`, async () => {
    const [poisoned, sound] = [freshStream("poisoned"), freshStream("sound")];
    const poison = { type: "Poison", data: { how } };
    await api.appended(sound, numbered(3));
    await api.appended(poisoned, [...numbered(1), poison, ...numbered(1, 2)]);
    poisons += 1;
    // No request wakes the consumers meanwhile. They continue by themselves.
    await until(async () => {
      // A crash also ends a request that runs in the engine at that moment.
      const echoes = [await api.read(`echo-${poisoned}`), await api.read(`echo-${sound}`)];
      return echoes.every(({ status, json }) => status === 200 && json.version === 3);
    });
    for (const name of ["counts", "echoes"]) {
      const isDone = ({ lag, deadLetters }: any) => lag === 0 && deadLetters === poisons;
      const { lastError, status } = await settled(api, name, isDone);
      assert.equal(status, "running");
      assert.match(lastError.message, reason, name);
      const { deadLetters } = (await api.request(`/v1/consumers/${name}/dead-letters`)).json;
      assert.deepEqual(
        deadLetters.slice(-1).map(({ attempts, event }: any) => [attempts, event.data]),
        [[3, { how }]],
        name,
      );
    }
    const document = await api.request(`/v1/projections/counts/documents/${poisoned}`);
    assert.equal(document.text, "2", "nothing is kept of the attempts that crashed");
    assert.equal(
      await api.version(`echo-${poisoned}`),
      3,
      "what was appended before is there once",
    );
    const { deadLetters, lastError } = await settled(api, "beside");
    assert.deepEqual([deadLetters, lastError], [0, null], "a crash is no failure of others");
    assert.equal(await api.version(`echo-${sound}`), 3);
  });
}
