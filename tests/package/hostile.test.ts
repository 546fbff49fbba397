// A caller's values never control the package. They come back unchanged, or they were refused when they were saved.

import assert from "node:assert/strict";
import { DatabaseSync } from "node:sqlite";
import { after, test, type TestContext } from "node:test";

import type { EventStore, NewEvent } from "sillok";

import { all } from "./check.ts";
import { Hostile, isKept, prototypes } from "./hostile-values.ts";
import { Files } from "./on-file.ts";
import { useScratch } from "./scratch.ts";

const EVENTS = 100_000;
/** The number of events of one aggregate. */
const OF_ONE = 500;
/** The number of events that are read as if they were older than the place for notes. */
const OLD_EVENTS = 20_000;

const scratch = useScratch();
const files = new Files();
after(() => files.remove());

const before = prototypes();

function hostile(t: TestContext, events: number): Hostile {
  const seed = Number(process.env["SILLOK_HOSTILE_SEED"] ?? Math.floor(Math.random() * 2 ** 32));
  t.diagnostic(`${events} random events, SILLOK_HOSTILE_SEED=${seed}`);
  return new Hostile(seed);
}

function checkPrototypes(): void {
  const now = prototypes();
  assert.equal(now.length, before.length);
  assert.ok(now.every((part, place) => Object.is(part, before[place])));
}

/** Saves an event and returns it, if it was not refused. It is refused only if JSON would lose a part of it. */
function save(store: EventStore, aggregateId: string, random: Hostile): object | undefined {
  random.isLossy = false;
  const event = Object.assign(
    random.fields(() => random.value()),
    { aggregateId },
  );
  try {
    store.saveEvent(event);
  } catch (error) {
    assert.equal((error as { code?: unknown }).code, "invalid_event", String(error));
    assert.ok(random.isLossy, "what JSON has is not refused");
    return undefined;
  }
  return event;
}

function newEvent(aggregateId: unknown, random: Hostile): Required<Omit<NewEvent, "id">> {
  const data = Object.assign(
    random.fields(() => random.json()),
    { aggregateId },
  );
  return { type: "X", data, metadata: random.metadata(data) };
}

/** Appends an event, and returns the event that the store must find. */
async function append(store: EventStore, stream: string, random: Hostile): Promise<object> {
  const event = newEvent(random.one([stream, 1, "1", "other"]), random);
  const { version } = await store.append(stream, event);
  return { aggregateId: stream, stream, version, ...event };
}

test("100,000 events with hostile metadata, keys and paths: each comes back as it was, or was refused", async (t) => {
  const { EventStore, verifyCommits } = await scratch.sillok();
  const random = hostile(t, EVENTS);
  let kept = 0;
  for (let made = 0; made < EVENTS; made += OF_ONE) {
    const store = new EventStore();
    const id = random.one(["__proto__", "constructor", "toString", "1", "é"]);
    const expected: object[] = [];
    for (let n = 0; n < OF_ONE; n += 1) {
      const isSaved = random.below(2) === 0;
      const event = isSaved ? save(store, id, random) : await append(store, id, random);
      if (event !== undefined) expected.push(event);
    }
    const found = store.findEventsByAggregateId(id);
    assert.equal(found.length, expected.length);
    for (const [place, event] of expected.entries()) {
      const {
        id: _,
        time,
        position,
        checkpoint,
        ...rest
      } = found[place] as Record<string, unknown>;
      // No saved event has a version here.
      const whole = "version" in event ? rest : found[place];
      assert.ok(isKept(event, whole), `${JSON.stringify(event)} became ${JSON.stringify(whole)}`);
    }
    checkPrototypes();
    kept += expected.length;
    if (made % 10_000 !== 0) continue;
    const verified = await verifyCommits(store.exportCommits(id));
    assert.deepEqual([verified.intact, verified.version], [true, expected.length]);
  }
  assert.ok(kept > EVENTS / 2 && kept < EVENTS, `${kept} were kept`);
});

test("metadata that look like old bookkeeping make nothing unreadable and change no prototype", async (t) => {
  const { EventStore } = await scratch.sillok();
  const random = hostile(t, OLD_EVENTS);
  const path = `${files.folder}/old.db`;
  const written = EventStore.open(path);
  for (let made = 0; made < OLD_EVENTS; made += OF_ONE) {
    const events = Array.from({ length: OF_ONE }, () =>
      newEvent(random.one([1, "1", "2"]), random),
    );
    await written.append("1", events);
  }
  written.close();
  // Removes the mark with which newer events differ from old ones.
  const database = new DatabaseSync(path);
  database.exec(`UPDATE log_v1 SET events = replace(events, ',"saved":false}', '}')`);
  database.close();

  const store = EventStore.open(path);
  const [asText, asNumber] = [store.findEventsByAggregateId("1"), store.findEventsByAggregateId(1)];
  const recorded = await all(store.read("1"));
  store.close();
  checkPrototypes();
  assert.equal(asText.length + asNumber.length, OLD_EVENTS, "each is found once");
  assert.equal(recorded.length, OLD_EVENTS);
  // In JSON a Date is its text.
  const asJson = new Set(recorded.map(({ data }) => JSON.stringify(data)));
  for (const event of asNumber) assert.ok(asJson.has(JSON.stringify(event)), "with what it had");
  assert.ok(asNumber.some((event) => Object.values(event).some((value) => value instanceof Date)));
});
