// Stores on files when processes compete, when processes are killed, and when the disk is full.

import assert from "node:assert/strict";
import { after, test } from "node:test";
import { setTimeout as sleep } from "node:timers/promises";

import { all } from "./check.ts";
import { Files } from "./on-file.ts";
import { Program } from "./program.ts";
import { useScratch } from "./scratch.ts";

const ROUNDS = 50;
const WINS = 300;
/** The number of times that two processes create a file at the same moment. */
const MET = 20;
/** The number of times that a history is found with another first version than before. */
const MOVED = 100;

/**
 * Prints 0. Then opens the file, appends commits of one to five events without an end, and prints each acknowledged
 * version.
 */
const WRITER = `
  import { writeSync } from "node:fs";
  import { EventStore } from "sillok";
  writeSync(1, "0\\n");
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
 * Appends with the expected version that it knows, and prints the versions that it wrote. It ends after this number of
 * successes and one conflict. So the two processes compete, even if one of them starts late.
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

/** Opens and appends to each file that its input names, and prints the times of the begin and the end. */
const MAKER = `
  import { createInterface } from "node:readline";
  import { EventStore } from "sillok";
  for await (const path of createInterface({ input: process.stdin })) {
    const begun = process.hrtime.bigint();
    const store = EventStore.open(path);
    await store.append("s", { type: "A" });
    store.close();
    console.log(begun + " " + process.hrtime.bigint());
  }
`;

/** Appends an event and forgets the oldest one, so that fifty remain. It ends when its input ends. */
const FORGETTER = `
  import { setImmediate } from "node:timers/promises";
  import { EventStore } from "sillok";
  const store = EventStore.open(process.argv[2]);
  let told = false;
  process.stdin.on("end", () => (told = true)).resume();
  while (!told) {
    const { version } = await store.append("s", { type: "A" });
    await store.truncate("s", { before: version - 49 });
    await setImmediate();
  }
  store.close();
`;

/** Appends until an append is refused. Then it prints the error and the events of the stream. */
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

const run = (file: string, ...args: string[]) => new Program(scratch.at(file), ...args);

test("after a writer is killed, every acknowledged commit is there, and no half commit", async () => {
  const { EventStore } = await scratch.sillok();
  const path = `${files.folder}/killed.db`;
  let acknowledged = 0;
  for (let round = 0; round < ROUNDS; round += 1) {
    const writer = run("writer.js", path, String(round));
    const opens = round % 4 === 0;
    // Some are killed while they open the file, and the others after a write.
    await writer.printedLines(opens ? 1 : 2);
    await sleep(Math.random() * (opens ? 20 : 150));
    await writer.kill();
    acknowledged = Math.max(acknowledged, Number(writer.lines.at(-1)));
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
  await Promise.all(programs.map((program) => program.endedWell()));
  const printed = programs.map(({ lines }) => lines);
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
  const programs = [run("maker.js"), run("maker.js")];
  // If only one processor is free, one process may end before the other begins. Then both get another file.
  for (let [place, met] = [0, 0]; met < MET; place += 1) {
    const path = `${files.folder}/made-${place}.db`;
    for (const program of programs) program.say(path);
    await Promise.all(programs.map((program) => program.printedLines(place + 1)));
    const times = programs.map(({ lines }) => (lines[place] ?? "").split(" ").map(BigInt));
    const [[begun = 0n, done = 0n] = [], [otherBegun = 0n, otherDone = 0n] = []] = times;
    if (begun < otherDone && otherBegun < done) met += 1;
    const store = EventStore.open(path);
    assert.equal((await all(store.read("s"))).length, 2);
    store.close();
  }
  await Promise.all(programs.map((program) => program.end()));
});

test("a history is intact at every moment, also while another process forgets its beginning", async () => {
  const { EventStore } = await scratch.sillok();
  const path = `${files.folder}/forgotten.db`;
  const store = EventStore.open(path);
  for (let count = 0; count < 50; count += 1) await store.append("s", { type: "A" });
  const forgetter = run("forgetter.js", path);
  let beginning = 1;
  for (let moved = 0; moved < MOVED;) {
    assert.equal(forgetter.ended, false, forgetter.printed.errors);
    assert.equal((await store.verify("s")).intact, true);
    const [first, ...more] = await all(store.read("s"));
    assert.ok(more.length === 49 || more.length === 50, `${1 + more.length} events`);
    if (first?.version !== beginning) moved += 1;
    beginning = first?.version ?? 0;
    await sleep(0);
  }
  await forgetter.end();
  store.close();
});

test("when the disk is full, an append fails as a whole, and earlier events can be read", async () => {
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
