/** Failed attempts are logged, `onFailure` hears of them, and a dead letter and a rebuild say where they come from. */

import assert from "node:assert/strict";
import { test } from "node:test";
import { setTimeout as sleep } from "node:timers/promises";
import { fileURLToPath } from "node:url";

import { useApiForEach } from "../support/api.ts";
import { settled } from "../support/consumers.ts";

const entry = fileURLToPath(import.meta.resolve("../support/failing-worker.ts"));
const lines: string[] = [];
const vars = { SILLOK_AUTH: "off", GREETING: "hello" };
const api = useApiForEach({ entry, vars, log: (line) => void lines.push(line) });

/** The failures that the Worker has heard of, once there are so many of them. */
async function heard(consumer: string | undefined, count: number): Promise<any[]> {
  for (const end = Date.now() + 30_000; ; await sleep(20)) {
    const all: any[] = (await api.request("/failures")).json;
    const found = all.filter((failure) => failure.consumer === consumer);
    if (found.length >= count) return found;
    assert(Date.now() < end, JSON.stringify(all));
  }
}

test("each failed attempt of a projection is heard of and logged, and the dead letter has the stack", async () => {
  for (const type of ["Opened", "Poison", "Opened"]) await api.appended("count-1", { type });
  const found = await heard("counts", 2);
  const event = { consumer: "counts", stream: "count-1", version: 2, position: 2 };
  const [{ retryAt, ...first }, second, ...more] = found;
  const thrown = { error: "poison", cause: "the cause of it", isType: true, greeting: "hello" };
  assert.deepEqual(first, { ...event, attempt: 1, next: "retry", ...thrown });
  assert.match(retryAt, /^\d{4}-.*Z$/);
  assert.deepEqual(second, { ...event, attempt: 2, next: "dead-letter", ...thrown });
  assert.deepEqual(more, []);

  const { lag } = await settled(api, "counts");
  assert.equal(lag, 0, "the error of the listener changes nothing");
  const [letter] = (await api.request("/v1/consumers/counts/dead-letters")).json.deadLetters;
  assert.equal(letter.error, "TypeError: poison");
  assert.match(
    letter.stack,
    /^TypeError: poison\n +at throwPoison [^]*\ncaused by: Error: the cause of it\n/,
  );

  assert(!letter.stack.includes("wasm"), letter.stack);

  const log = lines.join("\n");
  for (const part of [
    "counts, at count-1@2, failed in attempt 2: poison",
    "throwPoison",
    "dead-letter",
  ]) {
    assert(log.includes(part), `${part}\n${log}`);
  }
  assert.match(log, /onFailure has failed: .*the listener has failed too/);
});

test("a reactor is heard of with its next attempt, and a thrown text is a cause", async () => {
  await api.appended("letter-1", { type: "Written" });
  const [failure] = await heard("mailer", 1);
  assert.deepEqual([failure.attempt, failure.next, failure.error], [1, "retry", "no post today"]);
  assert(Date.parse(failure.retryAt) > Date.now() + 1_000_000, failure.retryAt);

  await api.appended("text-1", { type: "Written" });
  const [text] = await heard("texts", 1);
  assert.deepEqual(
    [text.next, text.error, text.cause],
    ["dead-letter", "only a text", "only a text"],
  );
  const [letter] = (await api.request("/v1/consumers/texts/dead-letters")).json.deadLetters;
  assert.deepEqual([letter.error, letter.stack], ["only a text", null]);
});

test("a timer is heard of with its key", async () => {
  await api.executed("clock-1", { type: "Set" });
  const [{ retryAt, error, ...failure }] = await heard(undefined, 1);
  assert.deepEqual(failure, {
    key: "ring",
    stream: "clock-1",
    attempt: 1,
    next: "retry",
    isType: false,
    greeting: "hello",
  });
  assert.match(error, /Ring/);
  assert(Date.parse(retryAt) > 0);
});

test("a rebuild that cannot continue says at which event", async () => {
  await api.appended("sum-1", [{ type: "Added" }, { type: "Added" }]);
  await settled(api, "sums");
  await api.request("/break");
  await api.request("/v1/consumers/sums/rebuild", { method: "POST" });
  const stuck = await settled(api, "sums", ({ rebuild }) => rebuild?.failures > 0);
  const { stream, version, position, rebuild } = stuck.lastError;
  assert.deepEqual([stream, version, position, rebuild], ["sum-1", 1, 1, true]);
  assert.deepEqual([stuck.rebuild.checkpoint, stuck.rebuild.lag, stuck.failures], ["0", 2, 0]);
  assert.match(stuck.rebuild.retryAt ?? "", /Z$/);
  const [failure] = await heard("sums", 1);
  assert.equal(failure.isRebuild, true);
});
