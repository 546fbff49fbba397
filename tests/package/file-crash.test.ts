// Stores on files when processes compete, are killed, or find the disk full.

import assert from "node:assert/strict";
import { once } from "node:events";
import { after, test } from "node:test";
import { setTimeout as sleep } from "node:timers/promises";

import { all } from "./check.ts";
import { Files } from "./on-file.ts";
import { start } from "./program.ts";
import { useScratch } from "./scratch.ts";

const ROUNDS = 50;
const WINS = 300;
const MADE = 40;

/** Appends commits of one to five events for ever, and prints each version that was acknowledged. */
const WRITER = `
  import { writeSync } from "node:fs";
  import { EventStore } from "sillok";
  const store = EventStore.open(process.argv[2]);
  for (let count = 0; ; count += 1) {
    const size = 1 + (count % 5);
    const commit = process.argv[3] + "-" + count;
    const events = Array.from({ length: size }, (_, part) => ({ type: "W", data: { commit, part, size } }));
    const { version } = await store.append("s", events, { idempotencyKey: commit });
    writeSync(1, version + "\\n");
  }
`;

/**
 * Appends, each time expecting the version that it knows, and prints what it wrote. It ends when it has won as often as
 * it is told, and once after the other had been before it: so the two compete, however late one of them starts.
 */
const COMPETITOR = `
  import { EventStore, isWrongExpectedVersion } from "sillok";
  const [, , path, name, wins] = process.argv;
  const store = EventStore.open(path);
  let [version, won, lost, met] = [0, 0, false, false];
  while (won < Number(wins) || !met) {
    try {
      ({ version } = await store.append("s", { type: name }, { expectedVersion: version }));
      won += 1;
      met ||= lost;
      console.log(version);
    } catch (error) {
      if (!isWrongExpectedVersion(error)) throw error;
      version = error.actual;
      lost = true;
    }
  }
  const replayed = [];
  for (let key = 0; key < Number(wins); key += 1) {
    const result = await store.append("k", { type: "Once" }, { idempotencyKey: "key-" + key });
    replayed.push(result.replayed ? "r" : "n");
  }
  console.log(replayed.join(""));
  store.close();
`;

/** Opens one new file after the other, each at a moment that is set, and appends to it. */
const MAKER = `
  import { EventStore } from "sillok";
  const [, , path, start] = process.argv;
  for (let place = 0; place < ${MADE}; place += 1) {
    while (Date.now() < Number(start) + 20 * place);
    const store = EventStore.open(path + place + ".db");
    await store.append("s", { type: "A" });
    store.close();
  }
`;

/** Appends an event and forgets the oldest, as one would keep the last fifty, many times over. */
const FORGETTER = `
  import { EventStore } from "sillok";
  const store = EventStore.open(process.argv[2]);
  for (let count = 0; count < 600; count += 1) {
    const { version } = await store.append("s", { type: "A" });
    await store.truncate("s", { before: version - 49 });
  }
  store.close();
`;

/** Appends until it is refused, then prints why and what it still holds. */
const FILLER = `
  import { EventStore } from "sillok";
  const store = EventStore.open(process.argv[2]);
  const data = "x".repeat(1000);
  let written = 0;
  let refused;
  while (refused === undefined) {
    await store.append("s", { type: "A", data }).then(() => (written += 1), (error) => (refused = error));
  }
  const again = await store.append("s", { type: "A", data }).catch((error) => error);
  let read = 0;
  for await (const _ of store.read("s")) read += 1;
  const { intact, version } = await store.verify("s");
  console.log(JSON.stringify([refused.code, again.code, refused.message, written, read, intact, version]));
`;

const scratch = useScratch(async (scratch) => {
  await scratch.write("writer.js", WRITER);
  await scratch.write("competitor.js", COMPETITOR);
  await scratch.write("maker.js", MAKER);
  await scratch.write("forgetter.js", FORGETTER);
  await scratch.write("filler.js", FILLER);
});
const files = new Files();
after(() => files.remove());

const run = (file: string, ...args: string[]) => start(scratch.at(file), ...args);

test("whenever a writer is killed, what was acknowledged is there, and no half commit", async () => {
  const { EventStore } = await scratch.sillok();
  const path = `${files.folder}/killed.db`;
  let acknowledged = 0;
  for (let round = 0; round < ROUNDS; round += 1) {
    const { child, printed } = run("writer.js", path, String(round));
    const closed = once(child, "close");
    // Some are killed while they open the file.
    await sleep(round % 4 === 0 ? 40 + Math.random() * 60 : 90 + Math.random() * 150);
    child.kill("SIGKILL");
    await closed;
    assert.equal(child.signalCode, "SIGKILL", printed.errors);
    const whole = printed.text.slice(0, printed.text.lastIndexOf("\n") + 1).trimEnd();
    acknowledged = Math.max(acknowledged, Number(whole.split("\n").at(-1)));
    const store = EventStore.open(path);
    const found = await store.verify("s");
    assert.equal(found.intact, true, `round ${round}`);
    assert.ok(found.version >= acknowledged, `${found.version}, and ${acknowledged} acknowledged`);
    type Written = { type: "W"; data: { commit: string; part: number; size: number } };
    const parts = new Map<string, number>();
    for await (const { data } of store.read<Written>("s")) {
      assert.equal(parts.get(data.commit) ?? 0, data.part, data.commit);
      parts.set(data.commit, data.part + 1);
    }
    for (const [commit, count] of parts) {
      assert.equal(count, 1 + (Number(commit.split("-")[1]) % 5), commit);
    }
    store.close();
  }
  assert.ok(acknowledged > ROUNDS, `only ${acknowledged} events were acknowledged in all`);
});

test("two processes that append to one stream lose nothing", async () => {
  const { EventStore } = await scratch.sillok();
  const path = `${files.folder}/competed.db`;
  const programs = ["One", "Other"].map((name) => run("competitor.js", path, name, String(WINS)));
  await Promise.all(programs.map(({ child }) => once(child, "close")));
  for (const { child, printed } of programs) assert.equal(child.exitCode, 0, printed.errors);
  const printed = programs.map(({ printed }) => printed.text.trimEnd().split("\n"));
  const keys = printed.map((lines) => lines.pop() ?? "");
  const versions = printed.flat().map(Number);
  assert.ok(printed.every(({ length }) => length >= WINS));
  assert.equal(new Set(versions).size, versions.length, "each version was won once");
  const store = EventStore.open(path);
  const events = await all(store.read("s"));
  assert.equal(events.length, versions.length);
  for (const [place, name] of ["One", "Other"].entries()) {
    const own = events.filter(({ type }) => type === name).map(({ version }) => String(version));
    assert.deepEqual(own, printed[place]);
  }
  assert.equal((await all(store.read("k"))).length, WINS, "each key was appended once");
  const places = printed.map((lines) => [lines[0], lines.at(-1)].map(Number));
  const [[first = 0, last = 0] = [], [otherFirst = 0, otherLast = 0] = []] = places;
  assert.ok(first < otherLast && otherFirst < last, "they did compete");
  const [one = "", other = ""] = keys;
  assert.ok([...one].every((answer, place) => [answer, other[place]].toSorted().join("") === "nr"));
  for (const stream of ["s", "k"]) assert.equal((await store.verify(stream)).intact, true);
  store.close();
});

test("two processes may make the same file at the same moment", async () => {
  const { EventStore } = await scratch.sillok();
  const path = (place: number) => `${files.folder}/made-${place}.db`;
  const start = String(Date.now() + 500);
  const programs = [1, 2].map(() => run("maker.js", path(0).replace("0.db", ""), start));
  await Promise.all(programs.map(({ child }) => once(child, "close")));
  for (const { child, printed } of programs) assert.equal(child.exitCode, 0, printed.errors);
  for (let place = 0; place < MADE; place += 1) {
    const store = EventStore.open(path(place));
    assert.equal((await all(store.read("s"))).length, 2);
    store.close();
  }
});

test("a history is intact at every moment, also while another process forgets its beginning", async () => {
  const { EventStore } = await scratch.sillok();
  const path = `${files.folder}/forgotten.db`;
  const store = EventStore.open(path);
  for (let count = 0; count < 50; count += 1) await store.append("s", { type: "A" });
  const { child, printed } = run("forgetter.js", path);
  const closed = once(child, "close");
  let checks = 0;
  for (; child.exitCode === null; checks += 1) {
    assert.deepEqual((await store.verify("s")).intact, true);
    const { length } = await all(store.read("s"));
    assert.ok(length === 50 || length === 51, `${length} events`);
    await sleep(0);
  }
  await closed;
  assert.equal(child.exitCode, 0, printed.errors);
  assert.ok(checks > 50, `${checks} checks`);
  store.close();
});

test("when the disk is full, an append fails whole, and what was written can be read", async () => {
  const limited = `ulimit -f 600; exec "$0" filler.js "$1"`;
  const args = ["-c", limited, process.execPath, `${files.folder}/full.db`];
  const { code, stdout, stderr } = await scratch.run("sh", args);
  assert.equal(code, 0, stderr);
  const [refused, again, message, written, read, intact, version] = JSON.parse(stdout);
  assert.deepEqual([refused, again, intact], ["storage_failed", "storage_failed", true]);
  assert.match(message, /^the storage failed: (disk I\/O error|database or disk is full)/);
  assert.ok(written > 10);
  assert.deepEqual([read, version], [written, written]);
});
