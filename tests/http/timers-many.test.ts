/** Many timers that are due at once run in batches, and other work has its turn meanwhile. */

import assert from "node:assert/strict";
import { test } from "node:test";
import { fileURLToPath } from "node:url";
import { setTimeout as sleep } from "node:timers/promises";

import { freshStream, useApi } from "../support/api.ts";
import { assertInOrder, feedOf } from "../support/feed.ts";
import { Follower } from "../support/follower.ts";
import { soak } from "../support/soak.ts";
import { keysRung, timersOf, until } from "../support/timers.ts";

const entry = fileURLToPath(import.meta.resolve("../support/bell-worker.ts"));
const api = useApi({ entry });

const [STREAMS, TIMERS] = [10, soak(200, 1000)];
/** The time until the timers are due, in milliseconds: long enough to set all of them. */
const LEAD = 10_000;
/** The time between two other commands to a stream, in milliseconds. */
const PAUSE = 50;

test(`${STREAMS * TIMERS} timers that are due at once run once each, while other commands are answered and forwarded`, async (t) => {
  const streams = Array.from({ length: STREAMS }, () => freshStream("bell"));
  const note = (stream: string, n: number) => api.executed(stream, { type: "Note", data: { n } });
  // After a start, the first requests take longer.
  await Promise.all(streams.map((stream) => note(stream, 0)));
  const at = Date.now() + LEAD;
  const data = { count: TIMERS, at };
  await Promise.all(streams.map((stream) => api.executed(stream, { type: "SetMany", data })));
  assert(Date.now() < at, "the timers were due before all were set");
  const feed = await Follower.connect(new URL("/v1/events", api.server.url));
  const seen = { rang: 0, noted: 0, between: 0 };
  let [taken, answered, slowest] = [0, 0, 0];
  const look = () => {
    for (; taken < feed.messages.length; taken += 1) {
      const { data } = feed.messages[taken]!;
      const event = data === undefined ? undefined : JSON.parse(data);
      if (event?.type === "Rang") seen.rang += 1;
      if (event?.type !== "Noted" || event.data.n === 0) continue;
      seen.noted += 1;
      // It has come through the journal while timers still wait.
      if (seen.rang > 0 && seen.rang < STREAMS * TIMERS) seen.between += 1;
    }
  };
  await feed.until(() => (look(), seen.rang > 0));
  const began = Date.now();
  const noteOften = async (stream: string): Promise<void> => {
    for (let n = 1; seen.rang < STREAMS * TIMERS; n += 1) {
      const sent = Date.now();
      await note(stream, n);
      slowest = Math.max(slowest, Date.now() - sent);
      answered += 1;
      look();
      await sleep(PAUSE);
    }
  };
  await Promise.all(streams.map(noteOften));
  const took = Date.now() - began;
  await feed.until(() => (look(), seen.noted === answered));
  await feed.close();
  const versions = new Map<string, number>();
  for (const stream of streams) {
    await until(
      () => timersOf(api, stream),
      (timers) => timers.length === 0,
    );
    versions.set(stream, await api.version(stream));
  }
  const count = [...versions.values()].reduce((sum, version) => sum + version, 0);
  const { events } = await feedOf(api, count);
  assertInOrder(events, versions);
  for (const stream of streams) {
    const own = events.filter((event) => event.stream === stream);
    assert.equal(new Set(keysRung(own)).size, TIMERS);
    assert.equal(keysRung(own).length, TIMERS);
    assert(own.every(({ type, data }) => type !== "Rang" || data.now >= at));
  }
  t.diagnostic(`all have run ${took} ms after the first`);
  t.diagnostic(
    `${answered} commands were answered meanwhile, the slowest after ${slowest} ms; ${seen.between} of them came through the journal before the last timer`,
  );
  assert(seen.between >= STREAMS, `${seen.between}`);
});
