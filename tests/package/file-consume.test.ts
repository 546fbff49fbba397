// Projections and reactors over files. Their state outlives the program, and several programs may run them at once.

import assert from "node:assert/strict";
import { after, test } from "node:test";
import { setTimeout as sleep } from "node:timers/promises";

import { all } from "./check.ts";
import { Files } from "./on-file.ts";
import { Program } from "./program.ts";
import { useScratch } from "./scratch.ts";

const ROUNDS = 25;
/** The number of times that another process must take over the documents. */
const TURNS = 20;

/** A sum for each stream, the number of times that another process took over, and a command for every tenth event. */
const CONSUMERS = `
  import { EventGateway, EventStore, projection, reactor } from "sillok";
  export const sums = projection("sums", {
    category: "s",
    on: {
      Counted({ stream, data }, documents) {
        const { sum, events } = documents.get(stream) ?? { sum: 0, events: 0 };
        documents.put(stream, { sum: sum + data.by, events: events + 1 });
        const { turns, by } = documents.get("turns") ?? { turns: 0, by: process.pid };
        documents.put("turns", { turns: by === process.pid ? turns : turns + 1, by: process.pid });
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

/** Runs the consumers without an end. */
const RUNNER = `
  import { gateway } from "./consumers.js";
  console.log("running");
  await gateway.run();
`;

/** Runs the consumers to the end of the feed, until another process has taken over this number of times. */
const COMPETITOR = `
  import { gateway, store, sums } from "./consumers.js";
  const least = Number(process.argv[3]);
  do await gateway.catchUp();
  while (((await gateway.projection(sums).get("turns"))?.turns ?? 0) < least);
  store.close();
`;

const scratch = useScratch(async (scratch) => {
  await scratch.write("consumers.js", CONSUMERS);
  await scratch.write("runner.js", RUNNER);
  await scratch.write("competitor.js", COMPETITOR);
});
const files = new Files();
after(() => files.remove());

const run = (file: string, ...args: string[]) => new Program(scratch.at(file), ...args);

type Sum = { sum: number; events: number };
type Turns = { turns: number; by: number };

/** The expected documents and commands, computed from the events. */
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

/** Runs the consumers to the end of the feed, and checks that every event took effect exactly once. */
async function check(path: string): Promise<void> {
  const { EventGateway, EventStore, projection } = await scratch.sillok();
  await run("competitor.js", path, "0").endedWell();
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

/** Waits until this program has taken over the documents. */
async function goesOn(path: string, program: Program): Promise<void> {
  const { EventGateway, EventStore, projection } = await scratch.sillok();
  const store = EventStore.open(path);
  const reader = projection<{ type: string }, Turns>("sums", { on() {} });
  const documents = new EventGateway(store).register(reader).projection(reader);
  while ((await documents.get("turns"))?.by !== program.child.pid) {
    assert.equal(program.ended, false, program.printed.errors);
    await sleep(1);
  }
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

test("the state of a consumer is there when the file is opened again", async () => {
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
    const runner = run("runner.js", path);
    // Some are killed during their start, some during their work, and some after it.
    if (round % 5 > 0) await runner.printedLines(1);
    next = await append(path, next, 40);
    if (round % 5 > 0) await goesOn(path, runner);
    await sleep(Math.random() * 30 * (1 + (round % 5)));
    await runner.kill();
  }
  await check(path);
});

test("an append of another process wakes a runner", async () => {
  const path = `${files.folder}/woken.db`;
  const runner = run("runner.js", path);
  await runner.printedLines(1);
  const { EventStore } = await scratch.sillok();
  const store = EventStore.open(path);
  await store.append("s-1", { type: "Counted", data: { by: 10 } });
  for await (const event of store.subscribe("tens")) {
    assert.equal(event.data, "s-1@1");
    break;
  }
  store.close();
  await runner.kill();
});

test("two processes that run the same consumers come to the right documents", async () => {
  const path = `${files.folder}/competed.db`;
  let next = await append(path, 0, 100);
  const programs = [1, 2].map(() => run("competitor.js", path, String(TURNS)));
  // There is always more work, so every program gets turns even if it starts late.
  while (programs.some(({ ended }) => !ended)) {
    next = await append(path, next, 20);
    await sleep(5);
  }
  await Promise.all(programs.map((program) => program.endedWell()));
  await check(path);
});
