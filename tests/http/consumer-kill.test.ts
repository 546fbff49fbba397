/**
 * Objects are removed from memory and workerd is killed at random moments while consumers work. In the end each consumer has
 * kept its promises.
 */

import assert from "node:assert/strict";
import { test } from "node:test";
import { setTimeout as sleep } from "node:timers/promises";
import { fileURLToPath } from "node:url";

import { Api } from "../support/api.ts";
import { settled } from "../support/consumers.ts";
import { Receiver } from "../support/receiver.ts";
import { soak } from "../support/soak.ts";

const ROUNDS = soak(10, 30);
const STREAMS = Array.from({ length: 6 }, (_, number) => `count-${number}`);
/**
 * The objects to remove from memory, by name and class. The webhook is not one of them: its receiver stands still while the
 * test waits for an eviction.
 */
const OBJECTS: [string, string][] = [
  ...STREAMS.map((stream): [string, string] => [stream, "Aggregate"]),
  ["0", "Journal"],
  ...["sums", "notes"].map((name): [string, string] => [name, "Consumer"]),
];
/** The most answered appends in a round before the kill. */
const MOST_ANSWERED = 40;
/**
 * The numbers of messages in a thousand that are answered with an error, that are not answered, and that are taken without an
 * answer.
 */
const [FAILED, HUNG, DROPPED] = [50, 5, 50];

const api = new Api();
let evictions = 0;

/** Appends until the server is gone, and reports each answer. */
async function write(stream: string, answered: () => void): Promise<void> {
  for (;;) {
    const n = 1 + Math.floor(Math.random() * 9);
    const reply = await api.append(stream, { type: "Counted", data: { n } }).catch(() => undefined);
    if (reply === undefined) return;
    assert.equal(reply.status, 201, reply.text);
    answered();
  }
}

/** Removes one object after the other from memory until the server is gone, and reports each one. */
async function evict(done: () => void): Promise<void> {
  for (;;) {
    const [object, className] = OBJECTS[Math.floor(Math.random() * OBJECTS.length)]!;
    const gone = await api.server.evict(object, className).then(
      () => false,
      () => true,
    );
    if (gone) return;
    evictions += 1;
    done();
    await sleep(Math.random() * 20);
  }
}

/** All events of the feed. */
async function feed(): Promise<any[]> {
  const { text } = await api.request("/v1/events", { headers: { Accept: "application/x-ndjson" } });
  return text
    .trimEnd()
    .split("\n")
    .map((line) => JSON.parse(line));
}

test(`consumers keep their promises in ${ROUNDS} kills`, async (t) => {
  const receiver = new Receiver();
  await receiver.start();
  t.after(() => receiver.stop());
  receiver.answer = () => {
    const chance = Math.random() * 1000;
    if (chance < FAILED) return 500;
    if (chance < FAILED + HUNG) return "hang";
    return chance < FAILED + HUNG + DROPPED ? "drop" : 200;
  };
  const entry = fileURLToPath(new URL("../support/own-worker.ts", import.meta.url));
  await api.start({ entry });
  t.after(() => api.stop());
  const definition = { kind: "webhook", url: receiver.url, category: "count", firstDelay: 10 };
  const body = JSON.stringify({ ...definition, longestDelay: 50, attempts: 100, concurrency: 4 });
  const put = await api.request("/v1/consumers/hook", { method: "PUT", body });
  assert.equal(put.status, 200, put.text);

  for (let round = 1; round <= ROUNDS; round += 1) {
    let left = Math.ceil(Math.random() * MOST_ANSWERED);
    const [written, evicted] = [Promise.withResolvers<void>(), Promise.withResolvers<void>()];
    const writing = STREAMS.map((stream) => write(stream, () => --left === 0 && written.resolve()));
    const evicting = evict(evicted.resolve);
    await Promise.all([written.promise, evicted.promise]);
    await sleep(Math.random() * 50);
    await api.server.kill();
    await Promise.all([...writing, evicting]);
    await api.server.restart();
  }
  receiver.answer = () => 200;
  await api.appended("count-0", { type: "Counted", data: { n: 1 } });
  for (const name of ["sums", "notes", "hook"]) await settled(api, name);

  const events = await feed();
  assert.deepEqual(
    events.map(({ position }) => position),
    events.map((_, place) => place + 1),
  );
  const counted = events.filter(({ type }) => type === "Counted");
  t.diagnostic(
    `${counted.length} events, ${receiver.received.length} messages, ${evictions} evictions`,
  );
  for (const stream of STREAMS) {
    const mine = counted.filter((event) => event.stream === stream);
    const { events: kept } = await wholeStream(stream);
    assert.deepEqual(
      mine.map(({ id }) => id),
      kept.map(({ id }) => id),
    );
    const { json } = await api.request(`/v1/projections/sums/documents/${stream}`);
    const sum = mine.reduce((total, { data }) => total + data.n, 0);
    assert.deepEqual(json ?? { sum: 0, events: 0 }, { sum, events: mine.length }, stream);
    const { events: notes } = await wholeStream(stream.replace("count", "note"));
    assert.deepEqual(
      notes.map(({ metadata }) => metadata.causationId).toSorted(),
      mine.map(({ id }) => id).toSorted(),
    );
  }
  for (const stream of STREAMS) {
    const mine = receiver.taken.filter(({ event }) => event.subject === stream);
    const versions = [...new Set(mine.map(({ event }) => Number(event.streamversion)))];
    assert.deepEqual(
      versions,
      versions.toSorted((a, b) => a - b),
      `${stream} is in order`,
    );
  }
  const ids = new Map<string, Set<string>>();
  for (const { event, headers } of receiver.taken) {
    const seen = ids.get(event.eventid) ?? new Set();
    ids.set(event.eventid, seen.add(headers["webhook-id"] ?? ""));
  }
  assert.deepEqual([...ids.keys()].toSorted(), counted.map(({ id }) => id).toSorted());
  assert(
    [...ids.values()].every(({ size }) => size === 1),
    "an event keeps its id",
  );
});

async function wholeStream(stream: string): Promise<{ events: any[] }> {
  const reply = await api.read(stream, "", { Accept: "application/x-ndjson" });
  assert.equal(reply.status, 200, reply.text);
  const lines = reply.text.split("\n").filter((line) => line !== "");
  return { events: lines.map((line) => JSON.parse(line)) };
}
