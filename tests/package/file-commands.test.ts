// Commands on files: when processes compete, when a process is killed, on a file that is read-only, and on a busy file.

import assert from "node:assert/strict";
import { after, test } from "node:test";
import { DatabaseSync } from "node:sqlite";
import { setTimeout as sleep } from "node:timers/promises";

import { all, count } from "./check.ts";
import { account, deposit, deposited, open, withdraw } from "./ledger.ts";
import { Files } from "./on-file.ts";
import { Program } from "./program.ts";
import { useScratch } from "./scratch.ts";

/** The commands of each of two processes. */
const COMMANDS = 200;
const ROUNDS = 25;

/** An account that also counts its events, and notes the version of each decision in its event. */
const ACCOUNT = `
  import { aggregate, reject } from "sillok";
  export const account = aggregate("account", {
    initialState: () => ({ cents: 0, events: 0 }),
    evolve: ({ cents, events }, { type, data }) =>
      ({ cents: cents + (type === "Deposited" ? data.cents : -data.cents), events: events + 1 }),
    decide({ type, data }, { cents, events }, { version }) {
      if (events !== version) throw new Error("a stale state: " + events + " of " + version);
      if (type === "Deposit") return { type: "Deposited", data };
      return cents < data.cents
        ? reject("insufficient_funds", { cents })
        : { type: "Withdrawn", data: { ...data, before: cents, version } };
    },
  });
`;

/** Waits for its input, and then executes all commands at once. Prints the versions of the accepted ones. */
const COMPETITOR = `
  import { EventStore } from "sillok";
  import { account } from "./account.js";
  const [, , path, name, commands] = process.argv;
  const store = EventStore.open(path);
  console.log("ready");
  await new Promise((resolve) => process.stdin.once("data", resolve));
  const outcomes = await Promise.all(Array.from({ length: Number(commands) }, async (_, n) => {
    // Some wait, so that the two processes take turns.
    await new Promise((resolve) => setTimeout(resolve, n % 100));
    return store.attempt("account-1", { type: "Withdraw", data: { cents: 1 + (n % 3), by: name } }, account);
  }));
  for (const { accepted, version, rejection } of outcomes) console.log(accepted ? version : rejection.code);
  store.close();
  // An exit now would lose what the pipe has not taken yet.
  process.stdin.destroy();
`;

/** Executes commands without an end, each under its own id: deposits of 1, and withdrawals that are refused. Prints outcomes. */
const COMMANDER = `
  import { writeSync } from "node:fs";
  import { EventStore } from "sillok";
  import { account } from "./account.js";
  const [, , path, from, to] = process.argv;
  const store = EventStore.open(path);
  for (let n = Number(from); n < Number(to); n += 1) {
    const command = n % 4 === 3
      ? { type: "Withdraw", data: { cents: 1_000_000 } }
      : { type: "Deposit", data: { cents: 1 } };
    const outcome = await store.attempt("account-1", command, account, { commandId: "command-" + n });
    const { accepted, version, replayed, rejection } = outcome;
    writeSync(1, JSON.stringify([n, accepted, version, replayed, rejection?.data.cents ?? null]) + "\\n");
  }
  store.close();
`;

const scratch = useScratch(async (scratch) => {
  await scratch.write("account.js", ACCOUNT);
  await scratch.write("competitor.js", COMPETITOR);
  await scratch.write("commander.js", COMMANDER);
});
const files = new Files();
after(() => files.remove());

const run = (file: string, ...args: string[]) => new Program(scratch.at(file), ...args);

test("commands of two processes at once never decide on a stale state", async () => {
  const { EventStore } = await scratch.sillok();
  const path = `${files.folder}/competed.db`;
  const store = EventStore.open(path);
  await store.append("account-1", deposited(3 * COMMANDS));
  const programs = ["One", "Other"].map((name) =>
    run("competitor.js", path, name, String(COMMANDS)),
  );
  await Promise.all(programs.map((program) => program.printedLines(1)));
  for (const program of programs) program.say("go");
  await Promise.all(programs.map((program) => program.endedWell()));
  const printed = programs.flatMap(({ lines }) => lines.slice(1));
  assert.equal(printed.length, 2 * COMMANDS);
  const [opening, ...events] = await all(
    store.read<{ type: string; data: Withdrawn }>("account-1"),
  );
  const versions = printed.map(Number).filter((version) => !Number.isNaN(version));
  assert.deepEqual(
    versions.toSorted((a, b) => a - b),
    events.map(({ version }) => version),
    "each accepted command has its own version",
  );
  let left = (opening?.data as { cents: number } | undefined)?.cents ?? 0;
  for (const { data, version } of events) {
    assert.deepEqual([data.before, data.version], [left, version - 1]);
    left -= data.cents;
  }
  assert.ok(left >= 0 && left < 3, `${left} are left`);
  const authors = events.map(({ data }) => data.by);
  const changes = authors.filter((by, place) => by !== authors[place - 1]).length;
  assert.ok(changes > 1, `they did compete: ${changes} changes`);
  store.close();
});

interface Withdrawn {
  cents: number;
  by: string;
  before: number;
  version: number;
}

test("after a process is killed amid its commands, each id is effective once", async () => {
  const { EventStore } = await scratch.sillok();
  const path = `${files.folder}/killed.db`;
  const outcomes = new Map<number, unknown[]>();
  let [repeated, next] = [0, 0];
  for (let round = 0; round < ROUNDS; round += 1) {
    // Each process repeats the last ten commands of the one before, which it may have carried out without an answer.
    const from = Math.max(0, next - 10);
    const commander = run("commander.js", path, String(from), "1000000");
    await commander.printedLines(12);
    await sleep(Math.random() * 30);
    await commander.kill();
    for (const line of commander.lines) {
      const [n, accepted, version, replayed, cents] = JSON.parse(line);
      const before = outcomes.get(n);
      if (before !== undefined) {
        assert.deepEqual([accepted, version, cents], before, `command ${n}`);
        assert.equal(replayed, true);
        repeated += 1;
      }
      outcomes.set(n, [accepted, version, cents]);
      next = n + 1;
    }
  }
  assert.ok(repeated >= 9 * (ROUNDS - 1), `${repeated} repeats`);
  // A last process repeats every command, also the rejected ones, which the state would now judge by another balance.
  const last = run("commander.js", path, "0", String(next));
  await last.endedWell();
  for (const line of last.lines) {
    const [n, accepted, version, replayed, cents] = JSON.parse(line);
    assert.deepEqual([replayed, accepted, version, cents], [true, ...(outcomes.get(n) ?? [])]);
  }
  const store = EventStore.open(path);
  const ids = (await all(store.read("account-1"))).map(({ metadata }) => metadata["causationId"]);
  assert.equal(new Set(ids).size, ids.length, "each id has one event");
  // The last process may have carried out one command more, whose answer was lost.
  const deposits = count(0, next).filter((n) => n % 4 !== 3);
  assert.ok(ids.length === deposits.length || ids.length === deposits.length - 1);
  assert.equal((await store.verify("account-1")).intact, true);
  store.close();
});

test("a store that is opened to read loads states, and executes nothing", async () => {
  const sillok = await scratch.sillok();
  const { account: rules } = account(sillok);
  const path = `${files.folder}/read-only.db`;
  const writer = sillok.EventStore.open(path);
  await writer.execute("account-1", open("Ada"), rules);
  const keyed = { commandId: "id" };
  await writer.execute("account-1", deposit(5), rules, keyed);
  await writer.append(
    "account-1",
    count(1, 600).map(() => deposited(1)),
  );
  const reader = sillok.EventStore.open(path, { readOnly: true });
  const state = { owner: "Ada", cents: 605 };
  assert.deepEqual(await reader.load("account-1", rules), { state, version: 602 });
  assert.equal((await reader.load("account-1", rules, { version: 2 })).state.cents, 5);
  assert.equal((await reader.load("account-1", rules, { time: Date.now() })).version, 602);
  const commands = [
    () => reader.execute("account-1", deposit(5), rules),
    () => reader.execute("account-1", withdraw(1000), rules, { commandId: "other" }),
    () => reader.execute("account-2", open("Ada"), rules),
  ];
  for (const command of commands) {
    await assert.rejects(command, { code: "storage_read_only" });
  }
  // The writer's next command is seen.
  await writer.execute("account-1", deposit(1), rules);
  assert.equal((await reader.load("account-1", rules)).state.cents, 606);
  writer.close();
  reader.close();
});

test("a command waits for a busy file, and decides on the state after the wait", async () => {
  const sillok = await scratch.sillok();
  const { account: rules, calls } = account(sillok);
  const path = `${files.folder}/busy.db`;
  const store = sillok.EventStore.open(path, { busyTimeout: 200 });
  const other = sillok.EventStore.open(path);
  await store.execute("account-1", open("Ada"), rules);
  const lock = new DatabaseSync(path);
  lock.exec("BEGIN IMMEDIATE");
  const waiting = [store.attempt("account-1", withdraw(5), rules), store.load("account-1", rules)];
  await assert.rejects(waiting[0] as Promise<unknown>, { code: "storage_busy" });
  assert.equal((await waiting[1])?.version, 1);
  assert.equal(calls.decided, 1, "nothing was decided without the lock");
  const depositing = other.append("account-1", deposited(5));
  const withdrawing = store.attempt("account-1", withdraw(5), rules);
  await sleep(20);
  lock.exec("COMMIT");
  await depositing;
  // It may have had its turn before the deposit.
  if (!(await withdrawing).accepted) await store.execute("account-1", withdraw(5), rules);
  assert.equal((await store.load("account-1", rules)).version, 3);
  lock.close();
  store.close();
  other.close();
});

test("a fresh process has the state from the file, and the snapshot that another one has stored", async () => {
  const sillok = await scratch.sillok();
  const path = `${files.folder}/fresh.db`;
  const { account: rules } = account(sillok);
  const store = sillok.EventStore.open(path);
  await store.execute("account-1", open("Ada"), rules);
  for (const cents of count(1, 600)) await store.execute("account-1", deposit(cents), rules);
  const live = await store.load("account-1", rules);
  store.close();
  const again = sillok.EventStore.open(path);
  const { account: same, calls } = account(sillok);
  assert.deepEqual(await again.load("account-1", same), live);
  assert.ok(calls.evolved < 200, `${calls.evolved} events were folded`);
  again.close();
});
