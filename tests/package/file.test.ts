// Stores on files: the stored events, and the errors for files that are not a store.

import assert from "node:assert/strict";
import { openSync, readFileSync, statSync, writeFileSync, writeSync } from "node:fs";
import { after, test } from "node:test";
import { DatabaseSync } from "node:sqlite";

import { all } from "./check.ts";
import { Files } from "./on-file.ts";
import { useScratch } from "./scratch.ts";

const scratch = useScratch();
const files = new Files();
after(() => files.remove());

/** A file with the commits 1, 2 to 3, and 4 of stream `s`, and one of `t`. */
async function filled(name: string): Promise<string> {
  const { EventStore } = await scratch.sillok();
  const path = `${files.folder}/${name}.db`;
  const store = EventStore.open(path);
  await store.append("s", { type: "A", data: { amount: 100 } });
  await store.append("s", [{ type: "B" }, { type: "C" }], { idempotencyKey: "k" });
  await store.append("s", { type: "D" });
  await store.append("t", { type: "A" });
  store.close();
  return path;
}

function sqlite(path: string, ...statements: string[]): void {
  const database = new DatabaseSync(path);
  for (const statement of statements) database.exec(statement);
  database.close();
}

test("events are there when the file is opened again, by any path", async () => {
  const { EventStore } = await scratch.sillok();
  const path = await filled("again");
  const store = EventStore.open(`${files.folder}/./again.db`);
  const read = await all(store.read("s"));
  assert.deepEqual(
    read.map(({ version, type }) => [version, type]),
    [
      [1, "A"],
      [2, "B"],
      [3, "C"],
      [4, "D"],
    ],
  );
  const again = await store.append("s", [{ type: "B" }, { type: "C" }], { idempotencyKey: "k" });
  assert.deepEqual([again.firstVersion, again.version, again.replayed], [2, 3, true]);
  await store.truncate("s", { before: 3 });
  await store.delete("t");
  const verified = await store.verify("s");
  store.close();
  const later = EventStore.open(path);
  assert.deepEqual(await later.verify("s"), verified);
  assert.equal((await all(later.read("s"))).length, 2);
  await assert.rejects(later.append("t", { type: "A" }), { code: "stream_deleted" });
  later.close();
});

test("two stores on one file in one program see each other's events", async () => {
  const { EventStore } = await scratch.sillok();
  const path = `${files.folder}/two.db`;
  const [one, other] = [EventStore.open(path), EventStore.open(path)];
  for (let version = 0; version < 20; version += 2) {
    await one.append("s", { type: "One" }, { expectedVersion: version });
    await other.append("s", { type: "Other" }, { expectedVersion: version + 1 });
  }
  await assert.rejects(one.append("s", { type: "One" }, { expectedVersion: 19 }), { actual: 20 });
  assert.equal((await all(one.read("s"))).length, 20);
  one.close();
  assert.equal((await other.verify("s")).commits, 20);
  other.close();
});

test("a position is never given twice, and has no gaps", async () => {
  const { EventStore } = await scratch.sillok();
  const path = await filled("positions");
  const store = EventStore.open(path);
  await store.delete("t");
  await store.append("u", { type: "A" });
  store.close();
  const database = new DatabaseSync(path);
  const rows = database.prepare("SELECT position, stream FROM log_v1 ORDER BY position").all();
  database.close();
  assert.deepEqual(
    rows.map(({ position, stream }) => `${position} ${stream}`),
    ["1 s", "3 s", "4 s", "6 u"],
  );
});

test("using closes the store", async () => {
  const { EventStore } = await scratch.sillok();
  const store = EventStore.open(`${files.folder}/using.db`);
  store[Symbol.dispose]();
  await assert.rejects(store.verify("s"), { code: "storage_failed" });
});

test("verify names the commit for every change of a stored commit", async () => {
  const { EventStore } = await scratch.sillok();
  const changes: [change: string, broken: number][] = [
    [`events = replace(events, '100', '101') WHERE version = 1`, 1],
    [`events = replace(events, '"B"', '"b"') WHERE version = 3`, 3],
    [`events = events || ' ' WHERE version = 4`, 4],
    [`events = '' WHERE version = 3`, 3],
    [`time = time + 1 WHERE stream = 's' AND version = 3`, 3],
    [`time = 1 << 60 WHERE stream = 's' AND version = 3`, 3],
    [`time = -1 WHERE stream = 's' AND version = 3`, 3],
    [`key = 'K' WHERE version = 3`, 3],
    [`key = NULL WHERE version = 3`, 3],
    [`key = 'new' WHERE stream = 's' AND version = 1`, 1],
    [`hash = zeroblob(32) WHERE stream = 's' AND version = 3`, 3],
    [`hash = x'' WHERE stream = 's' AND version = 3`, 3],
    [`version = 5 WHERE version = 4`, 5],
    [`stream = 't', version = 2 WHERE stream = 's' AND version = 3`, 4],
  ];
  for (const [place, [change, broken]] of changes.entries()) {
    const path = await filled(`changed-${place}`);
    sqlite(path, `UPDATE log_v1 SET ${change}`);
    const store = EventStore.open(path);
    const found = await store.verify("s");
    assert.equal(!found.intact && found.broken.version, broken, change);
    store.close();
  }
  const path = await filled("removed");
  sqlite(path, "DELETE FROM log_v1 WHERE version = 3");
  const store = EventStore.open(path);
  const found = await store.verify("s");
  assert.equal(!found.intact && found.broken.version, 4);
  store.close();
});

test("files that cannot be opened are refused, saying why", async () => {
  const { EventStore } = await scratch.sillok();
  const { folder } = files;
  writeFileSync(
    `${folder}/text.db`,
    "this is no database, but a text that is long enough ".repeat(99),
  );
  const cases: [path: string, why: RegExp][] = [
    [`${folder}/missing/bank.db`, /missing.*cannot be opened: unable to open database file/],
    [folder, /cannot be opened: unable to open database file/],
    [`${folder}/text.db`, /text\.db.*cannot be opened: file is not a database/],
    [":memory:", /cannot be opened: its journal mode must be "wal"/],
    [`${folder}/a\0b.db`, /cannot be opened/],
  ];
  for (const [path, message] of cases) {
    assert.throws(() => EventStore.open(path), { code: "storage_failed", message }, path);
  }
  for (const path of ["", 5, undefined, new URL("file:///bank.db")]) {
    const refused = { code: "invalid_parameter", field: "path" };
    assert.throws(() => EventStore.open(path as string), refused, String(path));
  }
  const mistaken = EventStore as unknown as new (path: string) => unknown;
  assert.throws(() => new mistaken("bank.db"), { code: "invalid_parameter", message: /open/ });
});

test("a file that is damaged fails with a code, and nothing worse", async () => {
  const { EventStore } = await scratch.sillok();
  const path = await filled("damaged");
  const file = openSync(path, "r+");
  const rubbish = Buffer.alloc(statSync(path).size - 4096, 0xa5);
  writeSync(file, rubbish, 0, rubbish.length, 4096);
  const store = EventStore.open(path);
  for (let time = 0; time < 2; time += 1) {
    const failed = { code: "storage_failed", message: /malformed/ };
    await assert.rejects(all(store.read("s")), failed);
    await assert.rejects(store.verify("s"), failed);
    await assert.rejects(store.append("s", { type: "A" }), failed);
    assert.throws(() => store.findEventsByAggregateId("s"), failed);
  }
  store.close();
  assert.ok(readFileSync(path).includes(rubbish.subarray(0, 100)));
});

test("a row that was written by hand and is no commit is reported as corrupt", async () => {
  const { EventStore } = await scratch.sillok();
  const path = await filled("corrupt");
  sqlite(path, "UPDATE log_v1 SET events = '[{}]' WHERE version = 1");
  const store = EventStore.open(path);
  await assert.rejects(all(store.read("s")), { code: "stored_data_corrupt", message: /version 1/ });
  store.close();
});

test("a store that waited in vain for another says so, and works once the other has ended", async () => {
  const { EventStore } = await scratch.sillok();
  const path = await filled("locked");
  const store = EventStore.open(path);
  const other = new DatabaseSync(path);
  other.exec("BEGIN IMMEDIATE");
  const locked = { code: "storage_busy", message: /`busyTimeout`, 5000 ms/ };
  await assert.rejects(store.append("s", { type: "E" }), locked);
  assert.equal((await all(store.read("s"))).length, 4, "reading waits for nobody");
  other.exec("ROLLBACK");
  other.close();
  assert.equal((await store.append("s", { type: "E" })).version, 5);
  store.close();
});

test("where Node has no SQLite, opening a file says what is needed", async () => {
  const program = `
    import { EventStore } from "sillok";
    const { getBuiltinModule } = process;
    for (const missing of [undefined, () => undefined]) {
      process.getBuiltinModule = missing;
      try { EventStore.open("none.db"); } catch ({ code, message }) { console.log(code, message.includes("22.13")); }
    }
    process.getBuiltinModule = getBuiltinModule;
    console.log((await EventStore.open("some.db").append("s", { type: "A" })).version);
  `;
  await scratch.write("without.js", program);
  const refused = "unsupported_platform true";
  assert.deepEqual(await scratch.lines("without.js"), [refused, refused, "1"]);
});
