/** The state of a long history in the object: it is loaded in bounded memory, and a load that is cut off is continued. */

import assert from "node:assert/strict";
import { test } from "node:test";
import { setTimeout as sleep } from "node:timers/promises";
import { fileURLToPath } from "node:url";

import { freshStream, priceOf, useApi } from "../support/api.ts";
import { flightParts } from "../support/flight-parts.ts";
import { hashOf } from "../support/hashes.ts";
import { EVENTS, LONGEST, MOST_MEMORY_GROWTH, STATE_SHA256 } from "../support/long-history.ts";
import { growth } from "../support/memory.ts";

const entry = fileURLToPath(import.meta.resolve("../support/flights-worker.ts"));
const api = useApi({ entry });
/** A load is cut off after it has stored a snapshot of this version or a later one. */
const CUT_OFF = EVENTS * 0.4;
const TRIES = 10;
/** More than the rows that a load reads once: of the snapshot, of the end of the stream, and of its first page. */
const OTHER_ROWS = 40;
/** The platform counts a read row for each inserted commit, because it checks that the key of the row is new. */
const CHECKED = 1;

/** The version of the stored snapshot; 0 if there is none. */
async function snapshot(stream: string): Promise<number> {
  const tables = "SELECT name FROM sqlite_master WHERE name = 'snapshots_v1'";
  if ((await api.server.sql(stream, tables)).length === 0) return 0;
  const [row] = await api.server.sql(stream, "SELECT version FROM snapshots_v1");
  return Number(row?.["version"] ?? 0);
}

/** Removes the state from the database and from memory. */
async function forget(stream: string): Promise<void> {
  await api.server.sql(stream, "DELETE FROM snapshots_v1");
  await api.server.evict(stream);
}

/** Kills workerd amid a load, after the load has stored a snapshot. Returns the version of the snapshot. */
async function cutOff(stream: string): Promise<number> {
  for (let tries = 0; tries < TRIES; tries += 1) {
    const load = api.state(stream).catch(() => undefined);
    while ((await snapshot(stream)) < CUT_OFF) await sleep(1);
    await api.server.kill();
    const loaded = await load;
    await api.server.restart();
    const version = await snapshot(stream);
    if (loaded === undefined && version < EVENTS) return version;
    // The load was faster.
    await forget(stream);
  }
  assert.fail("every load came to its end before workerd was killed");
}

/** Loads the state, which must be the right one, and returns the planes in the air and the number of rows read. */
async function load(stream: string): Promise<{ inTheAir: any[]; read: number }> {
  const loaded = await api.state(stream);
  const { version, state } = loaded.json;
  assert.deepEqual([version, await hashOf(state)], [EVENTS, STATE_SHA256]);
  return { inTheAir: state.inTheAir, read: priceOf(loaded).read };
}

test(
  `the state of ${EVENTS} events is loaded in bounded memory, and a load that is cut off is continued`,
  LONGEST,
  async (t) => {
    const stream = freshStream("board");
    for (const part of flightParts(EVENTS)) await api.appended(stream, part);
    const from = await cutOff(stream);
    let [continued, whole] = [0, 0];
    const most = await growth(api.server, async () => {
      continued = (await load(stream)).read;
      await forget(stream);
      whole = (await load(stream)).read;
    });
    const share = (EVENTS - from) / EVENTS;
    t.diagnostic(`rows read: ${continued} from version ${from} on, ${whole} from the first one on`);
    assert.ok(
      continued <= whole * share + OTHER_ROWS,
      "only the events after the snapshot are read",
    );
    t.diagnostic(`workerd grew by ${Math.round(most / 1024 / 1024)} MiB at most`);
    assert.ok(most < MOST_MEMORY_GROWTH, `${most} bytes`);

    const { inTheAir } = await load(stream);
    for (const [place, flight] of inTheAir.slice(0, 3).entries()) {
      const arrive = { type: "Arrive", data: { ...flight, delayMinutes: 5 } };
      const reply = await api.execute(stream, arrive);
      assert.equal(reply.json.version, EVENTS + place + 1, reply.text);
      assert.equal(priceOf(reply).read, CHECKED, "as on a stream with one event");
    }
  },
);
