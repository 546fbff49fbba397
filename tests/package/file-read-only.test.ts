// Stores on files that are read-only, and stores that are opened read-only.

import assert from "node:assert/strict";
import { chmodSync, copyFileSync, mkdirSync, readdirSync, writeFileSync } from "node:fs";
import { after, test } from "node:test";

import type { EventStore } from "sillok";

import { all } from "./check.ts";
import { Files } from "./on-file.ts";
import { useScratch } from "./scratch.ts";

/** A user without special permissions. The superuser may do everything. */
const NOBODY = 65534;
const REFUSED = { code: "storage_read_only" };
/** Windows has other permissions. */
const onWindows = { skip: process.platform === "win32" };

const scratch = useScratch();
const files = new Files();
after(() => files.remove());

let made = 0;

/**
 * A file that all users may read, in a folder of its own. It has an event in `s`, and a projection's document of this event.
 */
async function filled(): Promise<{ folder: string; path: string }> {
  const { EventGateway, EventStore } = await scratch.sillok();
  const folder = `${files.folder}/${(made += 1)}`;
  for (const name of [files.folder, folder]) {
    if (name === folder) mkdirSync(name);
    chmodSync(name, 0o755);
  }
  const path = `${folder}/bank.db`;
  const store = EventStore.open(path);
  await store.append("s", { type: "Opened" });
  await new EventGateway(store).register(await documents()).catchUp();
  store.close();
  return { folder, path };
}

async function documents() {
  const { projection } = await scratch.sillok();
  return projection("documents", { on: (event, kept) => kept.put(event.stream, event.version) });
}

/** Runs `work` as a user without special permissions. */
function asNobody<T>(work: () => T): T {
  if (process.geteuid?.() !== 0) return work();
  process.seteuid?.(NOBODY);
  try {
    return work();
  } finally {
    process.seteuid?.(0);
  }
}

/** Opens a file as a user without special permissions. */
async function opened(path: string, options?: { readOnly: boolean }): Promise<EventStore> {
  const { EventStore } = await scratch.sillok();
  return asNobody(() => EventStore.open(path, options));
}

/** Checks that every read succeeds, and that every write fails. */
async function onlyReads(store: EventStore): Promise<void> {
  const { EventGateway } = await scratch.sillok();
  const gateway = new EventGateway(store).register(await documents());
  const projection = gateway.projection("documents");
  assert.deepEqual(
    (await all(store.read("s"))).map(({ type }) => type),
    ["Opened"],
  );
  assert.equal((await all(store.readAll())).length, 1);
  assert.deepEqual(
    (await all(store.streams())).map(({ stream }) => stream),
    ["s"],
  );
  assert.equal((await store.verify("s")).intact, true);
  assert.equal((await all(store.exportCommits("s"))).length, 1);
  assert.equal(store.findEventsByAggregateId("s").length, 1);
  assert.equal(await projection.get("s"), 1);
  assert.equal(await projection.get("s", { min: { stream: "s", version: 1 } }), 1);
  assert.deepEqual(await all(projection.documents()), [{ key: "s", document: 1 }]);
  assert.equal((await projection.status()).lag, 0);
  const following = store.subscribe({ all: true });
  assert.equal((await following.next()).value?.type, "Opened");
  await following.return();
  const writes: Record<string, () => Promise<unknown>> = {
    append: () => store.append("s", { type: "Closed" }),
    "append to a new stream": () => store.append("t", { type: "Opened" }),
    "append that expects another version": () =>
      store.append("s", { type: "Closed" }, { expectedVersion: 7 }),
    saveEvent: async () => store.saveEvent({ aggregateId: "s" }),
    truncate: () => store.truncate("s", { before: 2 }),
    delete: () => store.delete("s"),
    pause: () => projection.pause(),
    rebuild: () => projection.rebuild(),
  };
  for (const [name, write] of Object.entries(writes)) await assert.rejects(write, REFUSED, name);
  await assert.rejects(store.append("s", { type: "" }), { code: "invalid_event_type" });
  assert.equal((await all(store.read("s"))).length, 1);
}

test("a store that is opened only to read writes nothing", async () => {
  const { EventStore } = await scratch.sillok();
  const { path } = await filled();
  const store = EventStore.open(path, { readOnly: true });
  await onlyReads(store);
  const writer = EventStore.open(path);
  const following = store.subscribe("s", { after: 1 }).next();
  await writer.append("s", { type: "Closed" });
  assert.equal((await following).value?.type, "Closed", "what others write is followed");
  writer.close();
  store.close();
});

test(
  "a file that can only be read, in a folder that can be written to, is opened to be read",
  onWindows,
  async () => {
    const { folder, path } = await filled();
    chmodSync(folder, 0o777);
    chmodSync(path, 0o444);
    const store = await opened(path, { readOnly: true });
    await onlyReads(store);
    store.close();
  },
);

test("a file in a folder that can only be read is opened to be read", onWindows, async () => {
  const { folder, path } = await filled();
  chmodSync(path, 0o444);
  chmodSync(folder, 0o555);
  const store = await opened(path, { readOnly: true });
  await onlyReads(store);
  store.close();
  chmodSync(folder, 0o755);
  assert.deepEqual(readdirSync(folder), ["bank.db"], "nothing was made beside it");
});

test(
  "a write of another program to such a file ends the read with the reason",
  onWindows,
  async () => {
    const { EventStore } = await scratch.sillok();
    const { folder, path } = await filled();
    chmodSync(folder, 0o555);
    const store = await opened(path, { readOnly: true });
    const following = store.subscribe("s", { after: 1 }).next();
    chmodSync(folder, 0o755);
    const writer = EventStore.open(path);
    await writer.append("s", { type: "Closed" });
    const changed = { code: "storage_failed", message: /while it was open/ };
    await assert.rejects(following, changed);
    await assert.rejects(all(store.read("s")), changed);
    writer.close();
    await assert.rejects(all(store.read("s")), changed);
    store.close();
  },
);

test("events that lie beside such a file are not passed over", onWindows, async () => {
  const { EventStore } = await scratch.sillok();
  const { folder, path } = await filled();
  const writer = EventStore.open(path);
  await writer.append("s", { type: "Beside" });
  const copy = `${folder}/copy.db`;
  for (const end of ["", "-wal"]) copyFileSync(path + end, copy + end);
  writer.close();
  chmodSync(folder, 0o555);
  await assert.rejects(opened(copy, { readOnly: true }), {
    code: "storage_failed",
    message: /newest commits are in ".*copy\.db-wal"/,
  });
  chmodSync(folder, 0o755);
  const store = EventStore.open(copy, { readOnly: true });
  assert.equal((await all(store.read("s"))).length, 2);
  store.close();
});

test(
  "without the option, a file that can only be read is refused, saying so",
  onWindows,
  async () => {
    const { folder, path } = await filled();
    chmodSync(path, 0o444);
    for (const mode of [0o777, 0o555]) {
      chmodSync(folder, mode);
      const refused = { code: "storage_read_only", message: /bank\.db.*readOnly: true/ };
      await assert.rejects(opened(path), refused, mode.toString(8));
    }
    chmodSync(folder, 0o755);
  },
);

test("a file that is not there is not made, and what is no option is refused", async () => {
  const { EventStore } = await scratch.sillok();
  const missing = `${files.folder}/missing.db`;
  const refused = { code: "storage_failed", message: /missing\.db.*cannot be opened/ };
  assert.throws(() => EventStore.open(missing, { readOnly: true }), refused);
  writeFileSync(`${files.folder}/text.db`, "this is no database ".repeat(99));
  const text = `${files.folder}/text.db`;
  assert.throws(() => EventStore.open(text, { readOnly: true }), { code: "storage_failed" });
  const { path } = await filled();
  const options: [options: object, field: string][] = [
    [{ readOnly: 1 }, "readOnly"],
    [{ readOnly: null }, "readOnly"],
    [{ busyTimeout: -1 }, "busyTimeout"],
    [{ busyTimeout: 1.5 }, "busyTimeout"],
    [{ busyTimeout: Infinity }, "busyTimeout"],
    [{ busyTimeout: "5" }, "busyTimeout"],
    [{ readonly: true }, "readonly"],
  ];
  for (const [given, field] of options) {
    const invalid = { code: "invalid_parameter", field };
    assert.throws(() => EventStore.open(path, given), invalid, JSON.stringify(given));
  }
});
