/**
 * workerd is killed at random moments while several writers append. Every acknowledged event reaches the journal once.
 */

import assert from "node:assert/strict";
import { test } from "node:test";
import { setTimeout as sleep } from "node:timers/promises";

import { Api, numbered } from "../support/api.ts";
import { assertGapless, assertInOrder, feedOf } from "../support/feed.ts";
import { soak } from "../support/soak.ts";

const ROUNDS = soak(10, 30);
const STREAMS = ["account-1", "account-2", "account-3", "account-4"];
/** The longest time for which writers append in a round after the first answer, in milliseconds. */
const LONGEST = 200;

test(`each acknowledged event is in the journal once and in order after ${ROUNDS} kills`, async (t) => {
  const api = new Api();
  await api.start();
  t.after(() => api.stop());
  let answered = 0;
  let begun = (): void => undefined;
  const acknowledged = new Map(STREAMS.map((stream): [string, number] => [stream, 0]));
  const write = async (stream: string): Promise<void> => {
    for (;;) {
      const reply = await api.append(stream, numbered(2)).catch(() => undefined);
      if (reply?.status !== 201) return;
      answered += 1;
      begun();
      acknowledged.set(stream, Math.max(reply.json.version, acknowledged.get(stream) ?? 0));
    }
  };
  for (let round = 1; round <= ROUNDS; round++) {
    const first = new Promise<void>((resolve) => (begun = resolve));
    const writing = STREAMS.flatMap((stream) => [write(stream), write(stream)]);
    await first;
    await sleep(Math.random() * LONGEST);
    await api.server.kill();
    await Promise.all(writing);
    await api.server.restart();
  }
  const versions = new Map<string, number>();
  for (const [stream, version] of acknowledged) {
    const actual = await api.version(stream);
    assert(actual >= version, `${stream}: ${version} was answered, but it is at ${actual}`);
    versions.set(stream, actual);
  }
  // There are no more appends. The alarms forward the events that the last crash left behind.
  const count = [...versions.values()].reduce((sum, version) => sum + version, 0);
  const { events } = await feedOf(api, count);
  assert.equal(events.length, count);
  assertInOrder(events, versions);
  assertGapless(events);
  t.diagnostic(`${answered} appends were answered; the journal has ${count} events`);
  assert(answered >= ROUNDS);
});
