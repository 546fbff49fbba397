// Projections and reactors over files: what they know outlives the program, and several programs may run them at once.

import assert from "node:assert/strict";
import { once } from "node:events";
import { after, test } from "node:test";
import { setTimeout as sleep } from "node:timers/promises";

import { all } from "./check.ts";
import { Files } from "./on-file.ts";
import { start } from "./program.ts";
import { useScratch } from "./scratch.ts";

const ROUNDS = 25;
const COMPETED = 2000;

/** A sum for each stream, an order of events, and a command upon every tenth event. */
const CONSUMERS = `
  import { EventGateway, EventStore, projection, reactor } from "sillok";
  export const sums = projection("sums", {
    category: "s",
    on: {
      Counted({ stream, data, position }, documents) {
        const { sum, events } = documents.get(stream) ?? { sum: 0, events: 0 };
        documents.put(stream, { sum: sum + data.by, events: events + 1 });
        documents.put("last", position);
      },
    },
  });
  export const tens = reactor("tens", {
    category: "s",
    on: {
      async Counted({ stream, version, data }, { append }) {
        if (data.by % 10 === 0) await append("tens", { type: "Ten", data: stream + "@" + version });
      },
    },
  });
  export const store = EventStore.open(process.argv[2]);
  export const gateway = new EventGateway(store).register(sums, tens);
`;

/** Runs the consumers for ever. */
const RUNNER = `
  import { gateway } from "./consumers.js";
  console.log("running");
  await gateway.run();
`;

/** Brings the consumers to the end again and again, together with another process. */
const COMPETITOR = `
  import { gateway, store, sums } from "./consumers.js";
  const [, , , until, start] = process.argv;
  while (Date.now() < Number(start));
  let turns = 0;
  for (; ; turns += 1) {
    await gateway.catchUp();
    if ((await gateway.projection(sums).get("last")) >= Number(until)) break;
  }
  console.log(turns);
  store.close();
`;

const scratch = useScratch(async (scratch) => {
  await scratch.write("consumers.js", CONSUMERS);
  await scratch.write("runner.js", RUNNER);
  await scratch.write("competitor.js", COMPETITOR);
});
const files = new Files();
after(() => files.remove());

const run = (file: string, ...args: string[]) => start(scratch.at(file), ...args);

type Sum = { sum: number; events: number };

/** What the documents and commands should be, from the events themselves. */
async function expected(path: string): Promise<{ sums: Record<string, Sum>; tens: string[] }> {
  const { EventStore } = await scratch.sillok();
  const store = EventStore.open(path);
  const [sums, tens] = [{} as Record<string, Sum>, [] as string[]];
  for await (const { stream, version, data } of store.readAll({ category: "s" })) {
    const { by } = data as { by: number };
    const { sum, events } = sums[stream] ?? { sum: 0, events: 0 };
    sums[stream] = { sum: sum + by, events: events + 1 };
    if (by % 10 === 0) tens.push(`${stream}@${version}`);
  }
  store.close();
  return { sums, tens };
}

/** Brings the consumers to the end, and checks that every event took effect exactly once. */
async function check(path: string): Promise<void> {
  const { EventGateway, EventStore, projection } = await scratch.sillok();
  const { code, stderr } = await scratch.run(process.execPath, [
    scratch.at("competitor.js"),
    path,
    "0",
    "0",
  ]);
  assert.equal(code, 0, stderr);
  const { sums, tens } = await expected(path);
  const store = EventStore.open(path);
  const gateway = new EventGateway(store).register(projection("sums", { on() {} }));
  const found: Record<string, unknown> = {};
  for await (const { key, document } of gateway.projection("sums").documents({ prefix: "s-" })) {
    found[key] = document;
  }
  assert.deepEqual(found, sums);
  const commands = (await all(store.read("tens"))).map(({ data }) => data);
  assert.deepEqual(commands.toSorted(), tens.toSorted(), "each command took effect once");
  store.close();
}

async function append(path: string, from: number, count: number): Promise<number> {
  const { EventStore } = await scratch.sillok();
  const store = EventStore.open(path);
  for (let number = from; number < from + count; number += 1) {
    await store.append(`s-${number % 7}`, { type: "Counted", data: { by: number } });
  }
  store.close();
  return from + count;
}

test("what a consumer knows is there when the file is opened again", async () => {
  const { EventGateway, EventStore, projection } = await scratch.sillok();
  const path = `${files.folder}/kept.db`;
  const sums = (failing: boolean) =>
    projection<{ type: string }, number>("sums", {
      attempts: 1,
      on({ stream, version }, documents) {
        if (failing && version === 2) throw new Error("no");
        documents.put(stream, (documents.get(stream) ?? 0) + 1);
      },
    });
  const open = (failing: boolean) => {
    const store = EventStore.open(path);
    const gateway = new EventGateway(store).register(sums(failing));
    return { store, gateway, documents: gateway.projection("sums") };
  };
  const first = open(true);
  await first.store.append("s-1", [{ type: "A" }, { type: "A" }, { type: "A" }]);
  await first.gateway.catchUp();
  await first.documents.pause();
  first.store.close();
  const second = open(false);
  const { status, checkpoint, deadLetters } = await second.documents.status();
  assert.deepEqual([status, checkpoint, deadLetters], ["paused", "3", 1]);
  assert.equal(await second.documents.get("s-1"), 2);
  await second.documents.resume();
  await second.documents.retry();
  await second.gateway.catchUp();
  assert.equal(await second.documents.get("s-1"), 3);
  second.store.close();
});

test("whenever a runner is killed, each event takes effect exactly once", async () => {
  const path = `${files.folder}/killed.db`;
  let next = 0;
  for (let round = 0; round < ROUNDS; round += 1) {
    const { child, printed } = run("runner.js", path);
    const closed = once(child, "close");
    next = await append(path, next, 40);
    // Some are killed while they start, some amid the work, some when it is done.
    await sleep((round % 5) * 40 + Math.random() * 40);
    child.kill("SIGKILL");
    await closed;
    assert.equal(child.signalCode, "SIGKILL", printed.errors);
  }
  await check(path);
});

test("what another process appends wakes a runner", async () => {
  const path = `${files.folder}/woken.db`;
  const { child, printed } = run("runner.js", path);
  const closed = once(child, "close");
  while (!printed.text.includes("running")) await sleep(10);
  const { EventStore } = await scratch.sillok();
  const store = EventStore.open(path);
  await store.append("s-1", { type: "Counted", data: { by: 10 } });
  for await (const event of store.subscribe("tens")) {
    assert.equal(event.data, "s-1@1");
    break;
  }
  store.close();
  child.kill("SIGKILL");
  await closed;
});

test("two processes that run the same consumers come to the right documents", async () => {
  const path = `${files.folder}/competed.db`;
  await append(path, 0, COMPETED);
  const start = String(Date.now() + 600);
  const programs = [1, 2].map(() => run("competitor.js", path, String(COMPETED + 400), start));
  await append(path, COMPETED, 400);
  await Promise.all(programs.map(({ child }) => once(child, "close")));
  for (const { child, printed } of programs) assert.equal(child.exitCode, 0, printed.errors);
  await check(path);
});
