// Timers and processes over files: when several processes run them, and when a process is killed amid its work.

import assert from "node:assert/strict";
import { readFile } from "node:fs/promises";
import { join } from "node:path";
import { after, test } from "node:test";
import { setTimeout as sleep } from "node:timers/promises";

import { all } from "./check.ts";
import { Files } from "./on-file.ts";
import { Program } from "./program.ts";
import { useScratch } from "./scratch.ts";
import { deposit, request, transfersOf } from "./transfers.ts";

const ACCOUNTS = 6;
const CENTS = 1000;
const TRANSFERS = 60;
const TIMERS = 800;
/** The rounds at whose end a process is killed. */
const KILLS = 20;

/** Runs a clock, whose timers ring once, and the transfers, without an end. */
const RUNNER = `
  import * as sillok from "sillok";
  import { transfersOf } from "./transfers.ts";
  import { clockOf } from "./clock.js";
  const { account, transfer } = transfersOf(sillok);
  const store = sillok.EventStore.open(process.argv[2]);
  const gateway = new sillok.EventGateway(store).register(account, transfer, clockOf(sillok));
  console.log("running");
  await gateway.run();
`;
const CLOCK = `
  export const clockOf = ({ aggregate, schedule }) => aggregate("clock", {
    initialState: () => 0,
    evolve: (count) => count + 1,
    decide: ({ type, data }, count, { now }) =>
      type === "Set"
        ? data.map(({ key, at }) => schedule(key, at, { type: "Ring", data: { key, at } }))
        : { type: "Rung", data: { ...data, late: now - data.at, by: process.pid } },
  });
`;

const scratch = useScratch(async (scratch) => {
  const transfers = new URL("transfers.ts", import.meta.url);
  await scratch.write("transfers.ts", await readFile(transfers, "utf8"));
  await scratch.write("clock.js", CLOCK);
  await scratch.write("runner.js", RUNNER);
});
const files = new Files();
after(() => files.remove());

const run = (path: string) => new Program(scratch.at("runner.js"), path);

/** A file with accounts, transfers that were requested, and timers that are due within a second. */
async function filled(path: string) {
  const sillok = await scratch.sillok();
  const { account, transfer } = transfersOf(sillok);
  const { clockOf } = await import(scratch.at("clock.js"));
  const clock = clockOf(sillok) as typeof account;
  const store = sillok.EventStore.open(path);
  for (let n = 0; n < ACCOUNTS; n += 1)
    await store.execute(`account-${n}`, deposit(CENTS), account);
  await store.execute("account-closed", { type: "Close", data: { cents: 0 } }, account);
  // The times of the timers are before, between and after those of the sent commands.
  const now = Date.now();
  for (let stream = 0; stream < 4; stream += 1) {
    const data = Array.from({ length: TIMERS / 4 }, (_, n) => ({ key: `${n}`, at: now + 2 * n }));
    await store.execute(`clock-${stream}`, { type: "Set", data } as never, clock);
  }
  for (let n = 0; n < TRANSFERS; n += 1) {
    const to = n % 5 === 4 ? "closed" : `${(n + 1 + (n % 3)) % ACCOUNTS}`;
    // Some ask for more than there is.
    const cents = n % 7 === 6 ? 10 * CENTS : 1 + 13 * n;
    await store.execute(`transfer-${n}`, request(`${n % ACCOUNTS}`, to, cents), transfer);
  }
  return { store, account, transfer };
}

type Filled = Awaited<ReturnType<typeof filled>>;

async function events({ store }: Filled): Promise<number> {
  return (await all(store.readAll())).length;
}

async function isDone({ store, transfer }: Filled): Promise<boolean> {
  for (let n = 0; n < TRANSFERS; n += 1) {
    const { status } = (await store.load(`transfer-${n}`, transfer)).state;
    if (!["Completed", "Failed", "Refunded"].includes(status)) return false;
  }
  return (await all(store.readAll({ category: "clock" }))).length >= TIMERS;
}

/** Checks that no money was lost or made, and that each timer took effect once and not too early. Returns how many processes have run timers. */
async function check({ store, account, transfer }: Filled): Promise<number> {
  const moved = Array.from({ length: ACCOUNTS }, () => 0);
  const found: string[] = [];
  for (let n = 0; n < TRANSFERS; n += 1) {
    const { status, order } = (await store.load(`transfer-${n}`, transfer)).state;
    found.push(status);
    if (status !== "Completed") continue;
    moved[Number(order.from)]! -= order.cents;
    moved[Number(order.to)]! += order.cents;
  }
  assert.deepEqual(new Set(found), new Set(["Completed", "Failed", "Refunded"]));
  for (let n = 0; n < ACCOUNTS; n += 1) {
    assert.equal(
      (await store.load(`account-${n}`, account)).state,
      CENTS + moved[n]!,
      `account ${n}`,
    );
  }
  type Rung = { type: "Rung"; data: { key: string; late: number; by: number } };
  const rung = await all(store.readAll<Rung>({ category: "clock" }));
  const keys = rung.map(({ stream, data }) => `${stream}/${data.key}`);
  assert.deepEqual([keys.length, new Set(keys).size], [TIMERS, TIMERS]);
  assert.ok(
    rung.every(({ data }) => data.late >= 0),
    "none was early",
  );
  return new Set(rung.map(({ data }) => data.by)).size;
}

test("a failure of the store ends the run that meets it, and not the next one", async () => {
  const sillok = await scratch.sillok();
  const { DatabaseSync } = await import("node:sqlite");
  const path = join(files.folder, "failing.db");
  const store = sillok.EventStore.open(path, { busyTimeout: 0 });
  let looked = () => {};
  let finish = () => {};
  const shop = sillok.aggregate<{ type: "Sold" }, { type: "Sell" }, null>("shop", {
    initialState: () => null,
    evolve: () => null,
    decide: () => ({ type: "Sold" }),
    prepare: (command) => {
      looked();
      return new Promise((resolve) => (finish = () => resolve(command)));
    },
  });
  const order = sillok.process<{ type: "Done" }, { type: "Buy" }, null>("order", {
    initialState: () => null,
    evolve: () => null,
    decide: () => sillok.send("sale", shop, "1", { type: "Sell" }),
    answered: { sale: () => ({ type: "Done" }) },
  });
  await store.execute("order-1", { type: "Buy" }, order);
  const gateway = new sillok.EventGateway(store).register(shop, order);
  for (const run of ["run", "catchUp"] as const) {
    const looks = new Promise<void>((resolve) => (looked = resolve));
    const stop = new AbortController();
    const running = gateway[run]({ signal: stop.signal });
    const refused = assert.rejects(running, { code: "storage_busy" }, run);
    await looks;
    // The run is asked to end while a command is on its way, and the answer cannot be stored.
    const other = new DatabaseSync(path);
    other.exec("BEGIN IMMEDIATE");
    stop.abort();
    finish();
    await refused;
    other.exec("ROLLBACK");
    other.close();
  }
  looked = () => setTimeout(() => finish());
  assert.equal(await gateway.catchUp(), undefined);
  assert.equal((await all(store.read("order-1"))).length, 1);
  assert.equal((await all(store.read("shop-1"))).length, 1);
  store.close();
});

test("two processes run one file: every timer and every transfer takes effect once", async () => {
  const path = `${files.folder}/two.db`;
  const programs = [run(path), run(path)];
  const filledFile = await filled(path);
  while (!(await isDone(filledFile))) {
    assert.ok(
      programs.every(({ ended }) => !ended),
      programs[0]?.printed.errors,
    );
    await sleep(20);
  }
  for (const program of programs) await program.kill();
  await check(filledFile);
  filledFile.store.close();
});

test("a process that is killed amid its work leaves nothing out and does nothing twice", async () => {
  const path = `${files.folder}/killed.db`;
  const filledFile = await filled(path);
  for (let round = 0; round < KILLS; round += 1) {
    const before = await events(filledFile);
    const program = run(path);
    while ((await events(filledFile)) === before && !(await isDone(filledFile))) {
      assert.ok(!program.ended, program.printed.errors);
      await sleep(1);
    }
    await sleep(Math.random() * 30);
    await program.kill();
  }
  const last = run(path);
  while (!(await isDone(filledFile))) {
    assert.ok(!last.ended, last.printed.errors);
    await sleep(20);
  }
  await last.kill();
  assert.ok((await check(filledFile)) > 3, "many processes have run timers");
  filledFile.store.close();
});
