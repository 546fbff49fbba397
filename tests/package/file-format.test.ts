// Files of every released format are opened, read, verified and appended to.

import assert from "node:assert/strict";
import { readdirSync, readFileSync, writeFileSync } from "node:fs";
import { DatabaseSync } from "node:sqlite";
import { after, test } from "node:test";
import { gunzipSync } from "node:zlib";

import type { EventStore } from "sillok";

import { all } from "./check.ts";
import { Files } from "./on-file.ts";
import { useScratch } from "./scratch.ts";

const FORMATS = new URL("formats/", import.meta.url);

interface Kept {
  readonly events: unknown[];
  readonly verified: { readonly version: number };
}

const scratch = useScratch();
const files = new Files();
after(() => files.remove());

/** Opens a copy of the file of this name. */
async function copied(name: string): Promise<EventStore> {
  const { EventStore } = await scratch.sillok();
  const path = `${files.folder}/${name}.db`;
  writeFileSync(path, gunzipSync(readFileSync(new URL(`${name}.db.gz`, FORMATS))));
  return EventStore.open(path);
}

/** The positions of the events of each stream. The release that made the file did not return them. */
const POSITIONS: Record<string, number[]> = { "account-42": [1, 2, 3], cut: [6, 7], 7: [10] };

function placed(events: readonly unknown[], positions: readonly number[]): unknown[] {
  assert.equal(events.length, positions.length);
  return positions.map((position, place) => {
    return { ...(events[place] as object), position, checkpoint: String(position) };
  });
}

const formats = readdirSync(FORMATS).filter((name) => name.endsWith(".json"));
assert.ok(formats.length >= 1);

for (const format of formats) {
  const name = format.slice(0, -".json".length);
  const kept = JSON.parse(readFileSync(new URL(format, FORMATS), "utf8")) as Record<string, Kept>;

  test(`a file of ${name} reads and verifies as it did`, async () => {
    const store = await copied(name);
    for (const [stream, { events, verified }] of Object.entries(kept)) {
      const read = all(store.read(stream));
      if (stream === "deleted") await assert.rejects(read, { code: "stream_deleted" });
      else assert.deepEqual(await read, placed(events, POSITIONS[stream] ?? []), stream);
      assert.deepEqual(await store.verify(stream), verified, stream);
    }
    store.close();
  });

  test(`a file of ${name} keeps its keys, its cuts and its deletions, and takes more`, async () => {
    const store = await copied(name);
    const opened = { type: "Opened", data: { owner: "세종" } };
    const again = await store.append("account-42", opened, { idempotencyKey: "k-1" });
    assert.deepEqual([again.version, again.replayed], [1, true]);
    assert.deepEqual(await store.truncate("cut", { before: 1 }), {
      stream: "cut",
      firstVersion: 3,
      version: 4,
    });
    await assert.rejects(store.append("deleted", opened), { code: "stream_deleted" });
    const saved = { aggregateId: 7, type: "Saved", at: new Date(0), nested: [{ at: new Date(1) }] };
    assert.deepEqual(store.findEventsByAggregateId(7), [saved]);
    for (const stream of ["account-42", "cut", "emptied", "7", "new"]) {
      const expectedVersion = kept[stream]?.verified.version ?? 0;
      const { version } = await store.append(stream, opened, { expectedVersion });
      assert.equal(version, expectedVersion + 1, stream);
      assert.equal((await store.verify(stream)).intact, true, stream);
    }
    store.close();
  });
}

test("a delivery that was under way when keys were given origins is recognised", async () => {
  const { EventGateway, EventStore, reactor } = await scratch.sillok();
  const path = `${files.folder}/under-way.db`;
  const store = EventStore.open(path);
  const replayed: boolean[] = [];
  const billing = reactor("billing", {
    category: "order",
    on: {
      async Placed(_, { append, attempt }) {
        replayed.push((await append("invoice", { type: "Issued" })).replayed);
        if (attempt > 1) return;
        const database = new DatabaseSync(path);
        database.exec("UPDATE log_v1 SET key = substr(key, instr(key, char(9)) + 1)");
        database.close();
        throw new Error("it is handled again");
      },
    },
    firstDelay: 1,
  });
  await store.append("order-1", { type: "Placed" });
  await new EventGateway(store).register(billing).catchUp();
  assert.deepEqual(replayed, [false, true]);
  assert.equal((await all(store.read("invoice"))).length, 1);
  store.close();
});
