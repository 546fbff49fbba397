// Subscriptions to streams in memory and on files: the events of other processes, and the time for which a program runs.

import assert from "node:assert/strict";
import { after, test } from "node:test";

import { count } from "./check.ts";
import { Files } from "./on-file.ts";
import { Program } from "./program.ts";
import { useScratch } from "./scratch.ts";

const EACH = 150;
/** Each commit has nearly a megabyte. */
const COMMITS = 120;

/** Appends many commits, and prints nothing. */
const WRITER = `
  import { EventStore } from "sillok";
  const store = EventStore.open(process.argv[2]);
  for (let done = 0; done < ${EACH}; done += 1) {
    await store.append("s", [{ type: "A" }, { type: "B" }]);
    await store.append("t", { type: "Other" });
  }
`;

/** Follows the stream up to a version, without other work, and prints the first and the last event. */
const FOLLOWER = `
  import { EventStore } from "sillok";
  const [, , path, last] = process.argv;
  const store = path === "" ? new EventStore() : EventStore.open(path);
  let seen = 0;
  for await (const { version } of store.subscribe("s")) {
    if (version !== seen + 1) throw new Error(version + " after " + seen);
    if (seen === 0) console.log(version);
    seen = version;
    if (version === Number(last)) break;
  }
  console.log(seen);
`;

/** Waits for an event that never comes, until its signal ends the wait. */
const WAITER = `
  import { EventStore } from "sillok";
  const store = process.argv[2] === "" ? new EventStore() : EventStore.open(process.argv[2]);
  // The timer of this signal does not prevent the end of a program.
  for await (const _ of store.subscribe("s", { signal: AbortSignal.timeout(500) }));
  console.log("ended");
`;

/** Takes one event, and does not end its subscription. */
const TAKER = `
  import { EventStore } from "sillok";
  const store = EventStore.open(process.argv[2]);
  await store.append("s", { type: "A" });
  console.log((await store.subscribe("s").next()).value.version);
`;

const scratch = useScratch(async (scratch) => {
  const programs = { writer: WRITER, follower: FOLLOWER, waiter: WAITER, taker: TAKER };
  for (const [name, text] of Object.entries(programs)) await scratch.write(`${name}.js`, text);
});
const files = new Files();
after(() => files.remove());

/** Runs a program, which must end by itself and without an error. */
async function ended(program: string, args: string[], flags: string[] = []): Promise<string> {
  const all = ["--disable-warning=ExperimentalWarning", ...flags, scratch.at(program), ...args];
  const { code, stdout, stderr } = await scratch.run(process.execPath, all);
  assert.deepEqual([code, stderr], [0, ""], program);
  return stdout.trim();
}

test("the events of several processes are followed in this process and in another, with no hole and no repeat", async () => {
  const { EventStore } = await scratch.sillok();
  const path = `${files.folder}/several.db`;
  const store = EventStore.open(path);
  const last = 1 + 3 * 2 * EACH;
  const follower = new Program(scratch.at("follower.js"), path, `${last}`);
  await store.append("s", { type: "First" });
  // The other events must come while it follows.
  await follower.printedLines(1);
  const writers = count(1, 3).map(() => ended("writer.js", [path]));
  const seen: number[] = [];
  for await (const { version } of store.subscribe("s")) {
    seen.push(version);
    if (version === last) break;
  }
  assert.deepEqual(seen, count(1, last));
  await follower.endedWell();
  assert.deepEqual(follower.lines, ["1", `${last}`]);
  await Promise.all(writers);
  store.close();
});

test("the events of several processes are followed in the feed, and read to its end", async () => {
  const { EventStore } = await scratch.sillok();
  const path = `${files.folder}/feed.db`;
  const store = EventStore.open(path);
  const writers = count(1, 3).map(() => ended("writer.js", [path]));
  const positions: number[] = [];
  const versions: Record<string, number> = { s: 0, t: 0 };
  for await (const { position, stream, version } of store.subscribe({ all: true })) {
    positions.push(position);
    assert.equal(version, (versions[stream] ?? 0) + 1);
    versions[stream] = version;
    if (position === 3 * 3 * EACH) break;
  }
  assert.deepEqual(positions, count(1, 3 * 3 * EACH));
  await Promise.all(writers);
  let last = 0;
  for await (const { position } of store.readAll({ types: ["B", "Other"] })) last = position;
  assert.equal(last, 3 * 3 * EACH);
  store.close();
});

test("two stores on one file in one program follow each other", async () => {
  const { EventStore } = await scratch.sillok();
  const path = `${files.folder}/two.db`;
  const [one, other] = [EventStore.open(path), EventStore.open(path)];
  const following = one.subscribe("s");
  for (const version of count(1, 20)) {
    const next = following.next();
    await (version % 3 === 0 ? one : other).append("s", { type: "A" });
    assert.equal((await next).value?.version, version);
  }
  await following.return();
  one.close();
  other.close();
});

test("a waiting subscription keeps a program running; an ended one does not", async () => {
  const { EventStore } = await scratch.sillok();
  const path = `${files.folder}/running.db`;
  for (const where of ["", path]) assert.equal(await ended("waiter.js", [where]), "ended");
  assert.equal(await ended("taker.js", [`${files.folder}/taken.db`]), "1");
  const store = EventStore.open(path);
  const following = ended("follower.js", [path, "1"]);
  await store.append("s", { type: "A" });
  assert.equal(await following, "1\n1");
  store.close();
});

test("a history of a hundred megabytes is followed in little memory", async () => {
  const { EventStore } = await scratch.sillok();
  const path = `${files.folder}/large.db`;
  const store = EventStore.open(path);
  const batch = count(1, 450).map(() => ({ type: "A", data: "x".repeat(2000) }));
  for (let done = 0; done < COMMITS; done += 1) await store.append("s", batch);
  store.close();
  const last = `${COMMITS * 450}`;
  const seen = await ended("follower.js", [path, last], ["--max-old-space-size=32"]);
  assert.equal(seen, `1\n${last}`);
});
