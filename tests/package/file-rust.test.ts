// A file that programs in Rust and in Node share. The program in Rust is `sqlite/examples/bank.rs`.

import assert from "node:assert/strict";
import { execFile } from "node:child_process";
import { join } from "node:path";
import { after, before, test } from "node:test";
import { promisify } from "node:util";

import type { EventStore } from "sillok";

import { all } from "./check.ts";
import { Files } from "./on-file.ts";
import { ROOT, useScratch } from "./scratch.ts";

/** The deposits of each of the two programs. */
const DEPOSITS = 200;

const run = promisify(execFile);
const scratch = useScratch();
const files = new Files();
after(() => files.remove());

const target = process.env["CARGO_TARGET_DIR"] ?? join(ROOT, "target");

before(async () => {
  const example = ["--package", "sillok-sqlite", "--example", "bank"];
  await run("cargo", ["build", "--quiet", ...example], { cwd: ROOT });
});

/** Runs the program in Rust, and returns the lines that it prints. */
async function inRust(...words: string[]): Promise<string[]> {
  const { stdout } = await run(join(target, "debug/examples/bank"), words);
  return stdout.trimEnd().split("\n");
}

/** The bank in JavaScript: the same aggregate and the same projection. */
async function inNode(store: EventStore) {
  const { aggregate, EventGateway, projection, reject } = await scratch.sillok();
  type Event = { type: "Deposited" | "Withdrawn"; data: { cents: number } };
  type Command = { type: "Deposit" | "Withdraw"; data: { cents: number } };
  const changed = (balance: number, { type, data }: Event) =>
    type === "Deposited" ? balance + data.cents : balance - data.cents;
  const account = aggregate<Event, Command, number>("account", {
    initialState: () => 0,
    evolve: changed,
    decide({ type, data }, balance) {
      if (type === "Deposit") return { type: "Deposited", data };
      if (data.cents > balance) {
        return reject("insufficient_funds", { missing: data.cents - balance });
      }
      return { type: "Withdrawn", data };
    },
  });
  const apply = (
    event: Event & { stream: string },
    documents: { get(key: string): number | undefined; put(key: string, balance: number): void },
  ) => documents.put(event.stream, changed(documents.get(event.stream) ?? 0, event));
  const balances = projection<Event, number>("balances", {
    category: "account",
    on: { Deposited: apply, Withdrawn: apply },
  });
  const gateway = new EventGateway(store).register(balances);
  return { account, balances: gateway.projection(balances), gateway };
}

test("a file that a program in Rust wrote opens in Node", async () => {
  const path = `${files.folder}/from-rust.db`;
  assert.deepEqual(await inRust(path, "deposit", "account-42", "100", "3"), ["1", "2", "3"]);
  assert.deepEqual(await inRust(path, "balances"), ["account-42 300"]);
  const { EventStore } = await scratch.sillok();
  const store = EventStore.open(path);
  const events = await all(store.read("account-42"));
  assert.deepEqual(
    events.map(({ version, type, data }) => [version, type, data]),
    [1, 2, 3].map((version) => [version, "Deposited", { cents: 100 }]),
  );
  assert.ok((await store.verify("account-42")).intact);
  // The state, the documents and the checkpoint of the program in Rust go on here.
  const { account, balances, gateway } = await inNode(store);
  assert.deepEqual(await store.load("account-42", account), { state: 300, version: 3 });
  assert.equal(await balances.get("account-42"), 300);
  await store.execute("account-42", { type: "Withdraw", data: { cents: 50 } }, account);
  await gateway.catchUp();
  assert.equal(await balances.get("account-42"), 250);
  store.close();
  assert.deepEqual(await inRust(path, "balances"), ["account-42 250"]);
});

test("a file that a program in Node wrote opens in Rust", async () => {
  const path = `${files.folder}/from-node.db`;
  const { EventStore } = await scratch.sillok();
  const store = EventStore.open(path);
  const { account, gateway } = await inNode(store);
  await store.execute("account-7", { type: "Deposit", data: { cents: 80 } }, account);
  await gateway.catchUp();
  store.close();
  assert.deepEqual(await inRust(path, "withdraw", "account-7", "100"), ["20 cents are missing"]);
  assert.deepEqual(await inRust(path, "withdraw", "account-7", "30"), ["2"]);
  assert.deepEqual(await inRust(path, "balances"), ["account-7 50"]);
});

test("programs in Rust and in Node write to one stream of one file at once", async () => {
  const path = `${files.folder}/both.db`;
  const { EventStore } = await scratch.sillok();
  const store = EventStore.open(path);
  const { account, balances, gateway } = await inNode(store);
  const rust = inRust(path, "deposit", "account-1", "1", `${DEPOSITS}`);
  const own: number[] = [];
  for (let n = 0; n < DEPOSITS; n += 1) {
    const deposit = { type: "Deposit", data: { cents: 1000 } } as const;
    own.push((await store.execute("account-1", deposit, account)).version);
  }
  const versions = [...own, ...(await rust).map(Number)].toSorted((one, other) => one - other);
  assert.deepEqual(
    versions,
    Array.from({ length: 2 * DEPOSITS }, (_, n) => n + 1),
  );
  assert.equal((await store.load("account-1", account)).state, 1001 * DEPOSITS);
  assert.ok((await store.verify("account-1")).intact);
  await gateway.catchUp();
  assert.equal(await balances.get("account-1"), 1001 * DEPOSITS);
  store.close();
});
