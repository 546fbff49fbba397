// Stores on files that another connection has locked. The program continues, and its writes stay in order.

import assert from "node:assert/strict";
import { after, test } from "node:test";
import { DatabaseSync } from "node:sqlite";
import { setImmediate as turn } from "node:timers/promises";

import type { EventStore } from "sillok";

import { all, count } from "./check.ts";
import { Files } from "./on-file.ts";
import { Program } from "./program.ts";
import { useScratch } from "./scratch.ts";

/** Locks the file for this number of milliseconds at each line of input, and prints when it has the lock. */
const LOCKER = `
  import { createInterface } from "node:readline";
  import { DatabaseSync } from "node:sqlite";
  const database = new DatabaseSync(process.argv[2]);
  for await (const line of createInterface({ input: process.stdin })) {
    database.exec("BEGIN IMMEDIATE");
    console.log("locked");
    setTimeout(() => database.exec("COMMIT"), Number(line));
  }
`;
const BUSY = { code: "storage_busy" };
/** Short enough for a test to wait, and long enough to see that other work continues. */
const SHORT = 200;

const scratch = useScratch(async (scratch) => void (await scratch.write("locker.js", LOCKER)));
const files = new Files();
after(() => files.remove());

let made = 0;

/** An open store with one event, and another connection to its file. */
async function opened(busyTimeout?: number): Promise<{
  path: string;
  store: EventStore;
  other: DatabaseSync;
}> {
  const { EventStore } = await scratch.sillok();
  const path = `${files.folder}/${(made += 1)}.db`;
  const store = EventStore.open(path, { busyTimeout });
  await store.append("s", { type: "Opened" });
  const other = new DatabaseSync(path);
  after(() => {
    store.close();
    other.close();
  });
  return { path, store, other };
}

/** Gives many turns to timers and other code. */
async function turns(): Promise<void> {
  for (let taken = 0; taken < 20; taken += 1) await turn();
}

/** Whether a promise is settled after other code had turns. */
async function isSettled(promise: Promise<unknown>): Promise<boolean> {
  let settled = false;
  promise.then(
    () => (settled = true),
    () => (settled = true),
  );
  await turns();
  return settled;
}

test("an append waits for another's lock, and the program goes on meanwhile", async () => {
  const { store, other } = await opened();
  other.exec("BEGIN IMMEDIATE");
  const appending = store.append("s", { type: "Closed" }, { expectedVersion: 1 });
  assert.equal(await isSettled(appending), false);
  assert.equal((await all(store.read("s"))).length, 1, "reading waits for nobody");
  other.exec("COMMIT");
  assert.equal((await appending).version, 2);
});

test("after busyTimeout it is storage_busy, and nothing was written", async () => {
  const { store, other } = await opened(SHORT);
  other.exec("BEGIN IMMEDIATE");
  const began = performance.now();
  let ticks = 0;
  const timer = setInterval(() => (ticks += 1), 5);
  await assert.rejects(store.append("s", { type: "Closed" }), {
    ...BUSY,
    message: new RegExp(`\`busyTimeout\`, ${SHORT} ms`),
  });
  clearInterval(timer);
  const passed = performance.now() - began;
  assert.ok(passed >= SHORT && passed < 4000, `${passed} ms`);
  assert.ok(ticks > 3, `${ticks} ticks`);
  other.exec("COMMIT");
  assert.equal((await store.append("s", { type: "Closed" })).version, 2);
});

test("appends during a wait come after the waiting one, to every stream", async () => {
  const { store, other } = await opened();
  other.exec("BEGIN IMMEDIATE");
  const done: string[] = [];
  const appendings = count(1, 50).map(async (n) => {
    const stream = n % 3 === 0 ? "t" : "s";
    await store.append(stream, { type: "Counted", data: n });
    done.push(`${n}`);
  });
  await turns();
  other.exec("COMMIT");
  // This append finds the lock free. It must still come after the earlier ones.
  const late = store.append("s", { type: "Counted", data: 51 });
  await Promise.all([...appendings, late]);
  assert.deepEqual(done, count(1, 50).map(String));
  const data: unknown[] = [];
  for await (const event of store.readAll({ types: ["Counted"] })) data.push(event.data);
  assert.deepEqual(data, count(1, 51));
});

test("of a stream's appends that wait, each is decided when it has its turn", async () => {
  const { store, other } = await opened();
  other.exec("BEGIN IMMEDIATE");
  const second = store.append("s", { type: "A" }, { expectedVersion: 1 });
  const refused = store.append("s", { type: "B" }, { expectedVersion: 1 });
  const third = store.append("s", { type: "C" }, { expectedVersion: 2 });
  refused.catch(() => undefined);
  await turns();
  other.exec("COMMIT");
  await assert.rejects(refused, { code: "wrong_expected_version", actual: 2 });
  assert.deepEqual([(await second).version, (await third).version], [2, 3]);
});

test("synchronous calls wait too, stay in order, and then report a busy file", async () => {
  const { EventStore } = await scratch.sillok();
  const { path, store } = await opened();
  const locker = new Program(scratch.at("locker.js"), path);
  locker.say(`${SHORT}`);
  await locker.printedLines(1);
  const appendings = ["B", "C"].map((type) => store.append("s", { type }));
  store.saveEvent({ aggregateId: "s", type: "D" });
  const types = store.findEventsByAggregateId("s").map(({ type }) => type);
  assert.deepEqual(types, ["Opened", "B", "C", "D"]);
  assert.deepEqual(
    (await Promise.all(appendings)).map(({ version }) => version),
    [2, 3],
  );
  await locker.end();
  const other = new DatabaseSync(path);
  other.exec("BEGIN IMMEDIATE");
  const impatient = EventStore.open(path, { busyTimeout: 0 });
  assert.throws(() => impatient.saveEvent({ aggregateId: "s" }), BUSY);
  impatient.close();
  other.close();
});

test("a closed store refuses its waiting calls", async () => {
  const { store, other } = await opened();
  other.exec("BEGIN IMMEDIATE");
  const appendings = [store.append("s", { type: "A" }), store.truncate("s", { before: 2 })];
  for (const appending of appendings) appending.catch(() => undefined);
  await turns();
  store.close();
  for (const appending of appendings) {
    await assert.rejects(appending, { code: "storage_failed", message: /closed/ });
  }
  await assert.rejects(store.append("s", { type: "A" }), { message: /closed/ });
});

test("every write waits, and is then storage_busy", async () => {
  const { EventGateway, projection, reactor } = await scratch.sillok();
  const { store, other } = await opened(SHORT);
  const gateway = new EventGateway(store).register(
    projection("documents", { on: (event, kept) => kept.put(event.stream, event.version) }),
    reactor("reactor", { on: (_, { append }) => append("t", { type: "Reacted" }), category: "s" }),
  );
  await gateway.catchUp();
  await store.append("s", { type: "Second" });
  const documents = gateway.projection("documents");
  const min = { stream: "s", version: 2 };
  const writes: Record<string, () => Promise<unknown>> = {
    append: () => store.append("s", { type: "A" }),
    "append with a key": () => store.append("s", { type: "A" }, { idempotencyKey: "k" }),
    truncate: () => store.truncate("s", { before: 2 }),
    delete: () => store.delete("s"),
    catchUp: () => gateway.catchUp(),
    run: () => gateway.run(),
    get: () => documents.get("s", { min }),
    pause: () => documents.pause(),
    resume: () => documents.resume(),
    retry: () => documents.retry(),
    rebuild: () => documents.rebuild(),
  };
  for (const [name, write] of Object.entries(writes)) {
    other.exec("BEGIN IMMEDIATE");
    const writing = write();
    assert.equal(await isSettled(writing), false, name);
    await assert.rejects(writing, BUSY, name);
    other.exec("ROLLBACK");
  }
  assert.equal(await documents.get("s", { min }), 2);
  await gateway.catchUp();
  assert.equal((await all(store.read("t"))).length, 2);
});

test("handlers are called once, even if the write of their result waits long", async () => {
  const { EventGateway, projection, reactor } = await scratch.sillok();
  const { store, other } = await opened();
  const handled: string[] = [];
  const lock = () => {
    other.exec("BEGIN IMMEDIATE");
    setTimeout(() => other.exec("COMMIT"), SHORT);
  };
  const locking = reactor("locking", {
    on() {
      handled.push("reactor");
      lock();
    },
  });
  await new EventGateway(store).register(locking).catchUp();
  lock();
  const documents = projection("documents", {
    on(event, kept) {
      handled.push("projection");
      kept.put(event.stream, event.version);
    },
  });
  const gateway = new EventGateway(store).register(documents);
  await gateway.catchUp();
  assert.deepEqual(handled, ["reactor", "projection"]);
  assert.equal(await gateway.projection(documents).get("s"), 1);
});

test("nobody writes while a projection's handler has its documents", async () => {
  const { EventGateway, EventStore, projection } = await scratch.sillok();
  const { path, store } = await opened();
  const other = EventStore.open(path, { busyTimeout: 0 });
  const writings: Promise<unknown>[] = [];
  const writing = projection("writing", {
    on(event, documents) {
      documents.put(event.stream, event.version);
      const append = other.append("s", { type: "Between" });
      append.catch(() => undefined);
      writings.push(append);
    },
  });
  await new EventGateway(store).register(writing).catchUp();
  assert.equal(writings.length, 1);
  for (const refused of writings) await assert.rejects(refused, BUSY);
  assert.equal((await other.append("s", { type: "After" })).version, 2);
  other.close();
});

test("if the lock of another connection excludes readers, every read waits", async () => {
  const { EventGateway, EventStore, projection } = await scratch.sillok();
  const { path, store, other } = await opened();
  const documents = projection("documents", { on: (event, kept) => kept.put(event.stream, 1) });
  await new EventGateway(store).register(documents).catchUp();
  store.close();
  // Without a write-ahead log, a writer excludes readers.
  other.exec("PRAGMA journal_mode = DELETE");
  const reader = EventStore.open(path, { readOnly: true, busyTimeout: SHORT });
  const handle = new EventGateway(reader).register(documents).projection(documents);
  const reads: Record<string, () => Promise<unknown>> = {
    read: () => all(reader.read("s")),
    readAll: () => all(reader.readAll()),
    streams: () => all(reader.streams()),
    subscribe: () => reader.subscribe("s").next(),
    "subscribe to all": () => reader.subscribe({ all: true }).next(),
    verify: () => reader.verify("s"),
    exportCommits: () => all(reader.exportCommits("s")),
    replay: () => new EventGateway(reader).replay({ handleEvent: () => undefined }),
    "replay of a stream": () =>
      new EventGateway(reader).replay({ handleEvent: () => undefined }, { stream: "s" }),
    get: () => handle.get("s"),
    documents: () => all(handle.documents()),
    deadLetters: () => all(handle.deadLetters()),
    status: () => handle.status(),
  };
  for (const [name, read] of Object.entries(reads)) {
    other.exec("BEGIN EXCLUSIVE");
    const waiting = read();
    assert.equal(await isSettled(waiting), false, name);
    other.exec("COMMIT");
    await waiting;
    other.exec("BEGIN EXCLUSIVE");
    await assert.rejects(read, BUSY, name);
    other.exec("COMMIT");
  }
  other.exec("BEGIN EXCLUSIVE");
  assert.throws(() => reader.findEventsByAggregateId("s"), BUSY);
  const open = () => EventStore.open(path, { readOnly: true, busyTimeout: 0 });
  assert.throws(open, BUSY);
  other.exec("COMMIT");
  open().close();
  reader.close();
});
