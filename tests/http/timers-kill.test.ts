/** workerd is killed around the time at which timers run. Each timer runs once, and none before its time. */

import assert from "node:assert/strict";
import { test } from "node:test";
import { fileURLToPath } from "node:url";
import { setTimeout as sleep } from "node:timers/promises";

import { Api, streamPath } from "../support/api.ts";
import { assertInOrder, feedOf } from "../support/feed.ts";
import { Seeded } from "../support/seeded.ts";
import { soak } from "../support/soak.ts";
import { keysRung, timersOf, until } from "../support/timers.ts";

const ROUNDS = soak(5, 30);
const STREAMS = ["bell-1", "bell-2", "bell-3"];
/** The timers of each stream in a round. */
const TIMERS = 8;
/** The longest time from the setting of a timer to its due time, in milliseconds. The kill comes within twice this time. */
const LONGEST = 600;

/** What a client knows of the timers of a stream. */
interface Known {
  /** The due time of each timer whose command was answered. */
  readonly set: Map<string, number>;
  /** The due time of each timer whose command was sent. */
  readonly asked: Map<string, number>;
  /** The timers whose cancel was answered, and the version of its event. */
  readonly cancelled: Map<string, number>;
}

test(`each timer runs once in ${ROUNDS} kills`, async (t) => {
  const choice = new Seeded();
  t.diagnostic(`SILLOK_SEED=${choice.seed}`);
  const api = new Api();
  await api.start({ entry: fileURLToPath(import.meta.resolve("../support/bell-worker.ts")) });
  t.after(() => api.stop());
  const known = new Map<string, Known>(
    STREAMS.map((stream) => [stream, { set: new Map(), asked: new Map(), cancelled: new Map() }]),
  );

  /** Sends a command, and returns its outcome, or nothing if the server is gone. */
  const send = async (stream: string, type: string, data: object): Promise<any> => {
    const reply = await api.execute(stream, { type, data }).catch(() => undefined);
    return reply?.status === 200 ? reply.json : undefined;
  };
  const client = async (stream: string, round: number): Promise<void> => {
    const { set, asked, cancelled } = known.get(stream)!;
    for (let n = 0; n < TIMERS; n += 1) {
      const [key, at] = [`${round}-${n}`, Date.now() + choice.below(LONGEST) - 100];
      asked.set(key, at);
      if ((await send(stream, "Set", { at, ring: { key } })) === undefined) return;
      set.set(key, at);
      if (choice.below(4) > 0) continue;
      const victim = `${round}-${choice.below(n + 1)}`;
      const executed = await send(stream, "Cancel", { key: victim });
      if (executed === undefined) return;
      cancelled.set(victim, executed.version);
    }
  };

  for (let round = 1; round <= ROUNDS; round += 1) {
    // After a start, the first requests take longer.
    await Promise.all(STREAMS.map((stream) => send(stream, "Note", { n: round })));
    const clients = STREAMS.map((stream) => client(stream, round));
    await sleep(choice.below(LONGEST * 2));
    await api.server.kill();
    await Promise.all(clients);
    await api.server.restart();
  }

  const versions = new Map<string, number>();
  let [ran, spared] = [0, 0];
  for (const [stream, { set, asked, cancelled }] of known) {
    await until(
      () => timersOf(api, stream),
      (timers) => timers.length === 0,
    );
    const events: any[] = [];
    for (let path: string = `${streamPath(stream)}/events`; path;) {
      const { json } = await api.request(path);
      events.push(...json.events);
      path = json.next;
    }
    versions.set(stream, events.length);
    const keys = keysRung(events);
    assert.equal(new Set(keys).size, keys.length, `${stream}: a timer has run twice`);
    const rang = new Map(
      events.filter(({ type }) => type === "Rang").map((event) => [event.data.key, event]),
    );
    for (const [key, event] of rang) {
      assert(event.data.now >= asked.get(key)!, `${stream}: ${key} has run too early`);
    }
    for (const key of set.keys()) {
      const cancelledAt = cancelled.get(key) ?? Infinity;
      const event = rang.get(key);
      // A cancel whose answer was lost may have taken effect.
      const isCancelled = events.some(({ type, data }) => type === "Cancelled" && data.key === key);
      assert(event !== undefined || isCancelled, `${stream}: ${key} has not run`);
      if (event === undefined) spared += 1;
      else assert(event.version < cancelledAt, `${stream}: ${key} has run after its cancel`);
    }
    ran += rang.size;
    assert.equal((await api.request(`${streamPath(stream)}/verify`)).json.intact, true);
  }
  const count = [...versions.values()].reduce((sum, version) => sum + version, 0);
  assertInOrder((await feedOf(api, count)).events, versions);
  t.diagnostic(`${ran} timers have run, ${spared} were cancelled before`);
  assert(ran >= ROUNDS && spared > 0);
});
