// Stores on files that are deleted, moved or replaced while they are open.

import assert from "node:assert/strict";
import { copyFileSync, mkdirSync, renameSync, rmSync, statSync, writeFileSync } from "node:fs";
import { after, test } from "node:test";

import type { EventStore } from "sillok";

import { all } from "./check.ts";
import { Files } from "./on-file.ts";
import { useScratch } from "./scratch.ts";

const scratch = useScratch();
const files = new Files();
after(() => files.remove());

const GONE = {
  code: "storage_failed",
  message: /was deleted, moved or replaced while it was open/,
};
const onWindows = {
  skip: process.platform === "win32" && "Windows keeps open files in their place",
};

let made = 0;

/** An open store with one event in a folder of its own. */
async function opened(): Promise<{ folder: string; path: string; store: EventStore }> {
  const { EventStore } = await scratch.sillok();
  const folder = `${files.folder}/${(made += 1)}`;
  mkdirSync(folder);
  const path = `${folder}/bank.db`;
  const store = EventStore.open(path);
  await store.append("s", { type: "Kept" });
  return { folder, path, store };
}

/** All calls of a store, by name. */
async function asked(store: EventStore): Promise<Record<string, () => Promise<unknown>>> {
  const { EventGateway, projection, reactor } = await scratch.sillok();
  const gateway = new EventGateway(store).register(
    projection("documents", { on: (event, documents) => documents.put(event.stream, 1) }),
    reactor("reactor", { on: () => undefined }),
  );
  const documents = gateway.projection("documents");
  await gateway.catchUp();
  return {
    append: () => store.append("s", { type: "Lost" }),
    "append to another stream": () => store.append("t", { type: "Lost" }),
    saveEvent: async () => store.saveEvent({ aggregateId: "s" }),
    findEventsByAggregateId: async () => store.findEventsByAggregateId("s"),
    read: () => all(store.read("s")),
    subscribe: () => all(store.subscribe("s")),
    readAll: () => all(store.readAll()),
    streams: () => all(store.streams()),
    verify: () => store.verify("s"),
    exportCommits: () => all(store.exportCommits("s")),
    truncate: () => store.truncate("s", { before: 2 }),
    delete: () => store.delete("s"),
    catchUp: () => gateway.catchUp(),
    run: () => gateway.run(),
    replay: () => gateway.replay({ handleEvent: () => undefined }),
    status: () => documents.status(),
    get: () => documents.get("s"),
    documents: () => all(documents.documents()),
    deadLetters: () => all(documents.deadLetters()),
    pause: () => documents.pause(),
    rebuild: () => documents.rebuild(),
    discard: () => documents.discard(),
  };
}

const WAYS: Record<string, (path: string, folder: string) => void> = {
  "was deleted": (path) => rmSync(path),
  "was moved": (path) => renameSync(path, `${path}-elsewhere`),
  "was replaced by a copy": (path) => {
    copyFileSync(path, `${path}-copy`);
    renameSync(`${path}-copy`, path);
  },
  "was replaced by a folder": (path) => {
    rmSync(path);
    mkdirSync(path);
  },
  "lay in a folder that was moved": (_, folder) => renameSync(folder, `${folder}-elsewhere`),
  "lost its newest commits": (path) => rmSync(`${path}-wal`),
  "has another one's newest commits": (path) => {
    writeFileSync(`${path}-other`, "");
    renameSync(`${path}-other`, `${path}-wal`);
  },
  "lost its locks": (path) => rmSync(`${path}-shm`),
};

for (const [way, change] of Object.entries(WAYS)) {
  test(`nothing is acknowledged of a file that ${way}`, onWindows, async () => {
    const { folder, path, store } = await opened();
    const calls = await asked(store);
    change(path, folder);
    for (const [name, call] of Object.entries(calls)) await assert.rejects(call, GONE, name);
    store.close();
  });
}

test("a waiting subscription fails when the file is gone", onWindows, async () => {
  const { EventGateway, reactor } = await scratch.sillok();
  const { path, store } = await opened();
  const refused = [assert.rejects(store.subscribe("s", { after: 1 }).next(), GONE)];
  const handled = Promise.withResolvers<void>();
  const handling = reactor("reactor", { on: () => handled.resolve() });
  refused.push(assert.rejects(new EventGateway(store).register(handling).run(), GONE));
  await handled.promise;
  rmSync(path);
  await Promise.all(refused);
  store.close();
});

test(
  "after the first refusal nothing more is written, and a file that is put back is used on",
  onWindows,
  async () => {
    const { EventStore } = await scratch.sillok();
    const { path, store } = await opened();
    renameSync(path, `${path}-elsewhere`);
    for (const type of ["Unsure", "Lost", "Lost"])
      await assert.rejects(store.append("s", { type }), GONE);
    renameSync(`${path}-elsewhere`, path);
    await store.append("s", { type: "Kept" });
    store.close();
    const reopened = EventStore.open(path);
    const types = (await all(reopened.read("s"))).map(({ type }) => type);
    assert.deepEqual(types, ["Kept", "Unsure", "Kept"]);
    reopened.close();
  },
);

test("a store whose file is gone leaves the file in its place alone", onWindows, async () => {
  const { EventStore } = await scratch.sillok();
  const { path, store } = await opened();
  for (const name of [path, `${path}-wal`, `${path}-shm`]) rmSync(name);
  const other = EventStore.open(path);
  await other.append("s", { type: "Other" });
  await assert.rejects(store.append("s", { type: "Lost" }), GONE);
  store.close();
  assert.ok(statSync(`${path}-wal`).size > 0, "the other one's commits");
  await other.append("s", { type: "Other" });
  assert.equal((await all(other.read("s"))).length, 2);
  other.close();
});

test("a file that other processes only write to is in its place", async () => {
  const { EventStore } = await scratch.sillok();
  const { path, store } = await opened();
  for (let version = 2; version < 20; version += 2) {
    const other = EventStore.open(path);
    await other.append("s", { type: "Other" });
    other.close();
    assert.equal((await store.append("s", { type: "Own" })).version, version + 1);
  }
  store.close();
});
