// Commands over a remote store: decided at the caller, against a server in workerd.

import assert from "node:assert/strict";
import { after, before, test } from "node:test";

import type { NewEvent, RemoteAggregateStore } from "sillok";

import { type Server } from "../support/server.ts";
import { all, count } from "./check.ts";
import { account, add, type Any, deposit, deposited, list, open, withdraw } from "./ledger.ts";
import { after as answerLost, before as neverSent, Line, serverWithTokens } from "./on-server.ts";
import { useScratch } from "./scratch.ts";

const scratch = useScratch();
let server: Server;
before(async () => {
  server = await serverWithTokens();
});
after(() => server.stop());

/** An account with this many cents, and two clients of its server. */
async function opened(cents: number, faults?: Line["faults"]) {
  const sillok = await scratch.sillok();
  const line = new Line(server, faults);
  const { account: rules, calls } = account(sillok);
  const [store, other] = [
    line.connect(sillok),
    new Line(server).connect(sillok, { token: line.token }),
  ];
  await other.append("account-1", [{ type: "Opened", data: { owner: "Ada" } }, deposited(cents)]);
  return { sillok, line, store, other, account: rules, calls };
}

const types = async (store: RemoteAggregateStore): Promise<string[]> =>
  (await all(store.read("account-1"))).map(({ type }) => type);

test("commands are decided, stored and loaded", async () => {
  const { store, account: rules } = await opened(100);
  const { events, time, ...result } = await store.execute("account-1", withdraw(30), rules);
  assert.deepEqual(result, { stream: "account-1", firstVersion: 3, version: 3, replayed: false });
  assert.deepEqual(events, await all(store.read("account-1", { from: 3 })));
  assert.equal(events[0]?.time, time);
  assert.deepEqual(await store.attempt("account-1", withdraw(71), rules), {
    accepted: false,
    rejection: { code: "insufficient_funds", data: { missing: 1 } },
    version: 3,
    replayed: false,
  });
  await assert.rejects(store.execute("account-1", withdraw(71), rules), {
    code: "command_rejected",
    rejection: { code: "insufficient_funds", data: { missing: 1 } },
  });
  const nothing = await store.execute("account-1", open("Ada"), rules);
  assert.deepEqual([nothing.events, nothing.firstVersion, nothing.version], [[], 4, 3]);
  const state = (cents: number) => ({ owner: "Ada", cents });
  assert.deepEqual(await store.load("account-1", rules), { state: state(70), version: 3 });
  for (const [version, cents] of [
    [3, 70],
    [2, 100],
    [1, 0],
  ] as const) {
    assert.deepEqual((await store.load("account-1", rules, { version })).state, state(cents));
  }
  assert.equal((await store.load("account-1", rules, { version: 0 })).state.owner, null);
  assert.equal((await store.load("account-1", rules, { time: 0 })).version, 0);
  assert.equal((await store.load("account-1", rules, { time: Date.parse(time) })).version, 3);
  await assert.rejects(store.load("account-1", rules, { version: 4 }), { field: "version" });
});

test("commands of two clients at once lose nothing", async () => {
  const { store, other, account: rules } = await opened(60);
  const outcomes = await Promise.all(
    count(1, 40).map((n) =>
      (n % 2 === 0 ? store : other).attempt("account-1", withdraw(2), rules, { attempts: 100 }),
    ),
  );
  assert.equal(outcomes.filter(({ accepted }) => accepted).length, 30);
  assert.deepEqual(await store.load("account-1", rules), {
    state: { owner: "Ada", cents: 0 },
    version: 32,
  });
});

test("of two clients that create, one wins, and the other decides again on its events", async () => {
  const { store, other, account: rules } = await opened(0);
  await other.delete("account-1");
  const creating = [store, other].map((client, place) =>
    client.attempt("account-2", open(["Ada", "Bob"][place] ?? ""), rules),
  );
  const outcomes = await Promise.all(creating);
  const refused = outcomes.find(({ accepted }) => !accepted);
  assert.equal(outcomes.filter(({ accepted }) => accepted).length, 1);
  assert.equal(refused?.accepted === false && refused.rejection.code, "is_open");
  await assert.rejects(store.execute("account-1", deposit(1), rules), { code: "stream_deleted" });
});

test("after a conflict it decides again, as often as it may, and then reports the version", async () => {
  const { sillok, line, other } = await opened(0);
  let decided = 0;
  let interfering = 0;
  const rules = list(sillok, {
    decide: ({ data }: { data: unknown }) => {
      decided += 1;
      return { type: "Added", data };
    },
  });
  const meddling = new Line(server, [
    async (send) => {
      const request = meddling.requests.at(-1);
      if (request?.method === "POST" && interfering > 0) {
        interfering -= 1;
        await other.append("list-1", { type: "Added", data: "first" });
      }
      return send();
    },
  ]);
  const store = meddling.connect(sillok, { token: line.token });
  interfering = 2;
  assert.equal((await store.execute("list-1", add(1), rules)).version, 3);
  assert.equal(decided, 3);
  interfering = 9;
  await assert.rejects(store.execute("list-1", add(2), rules, { attempts: 2 }), {
    code: "wrong_expected_version",
    stream: "list-1",
  });
  interfering = 1;
  const { version } = await store.load("list-1", rules);
  decided = 0;
  const once = store.execute("list-1", add(3), rules, { expectedVersion: version, attempts: 9 });
  await assert.rejects(once, { code: "wrong_expected_version", actual: version + 1 });
  assert.equal(decided, 1);
  interfering = 0;
  const wrong = store.execute("list-1", add(3), rules, { expectedVersion: version });
  await assert.rejects(wrong, { code: "wrong_expected_version", actual: version + 1 });
  assert.equal(decided, 1, "the expected version is compared before the decision");
});

test("an old state in memory never rejects, and never fails", async () => {
  const { sillok, store, other, account: rules } = await opened(0);
  await store.load("account-1", rules);
  await other.append("account-1", deposited(50));
  assert.equal((await store.execute("account-1", withdraw(50), rules)).version, 4);
  const failing = list(sillok, {
    decide({ data }: { data: unknown }, { list: items }: { list: unknown[] }) {
      if (items.length < 2) throw new Error("the state is old");
      return { type: "Added", data };
    },
  });
  await other.append("list-1", { type: "Added" });
  await store.load("list-1", failing);
  await other.append("list-1", { type: "Added" });
  assert.equal((await store.execute("list-1", add(1), failing)).version, 3);
});

test("a warm command sends one append, and reads its events", async () => {
  const { line, store, account: rules, calls } = await opened(100);
  await store.execute("account-1", deposit(1), rules);
  const sent = line.requests.length;
  await store.execute("account-1", deposit(1), rules);
  const methods = line.requests.slice(sent).map(({ method }) => method);
  assert.deepEqual(methods, ["POST", "GET"]);
  assert.equal(calls.evolved, 4);
});

test("a repeat under its id has the first events, also after the state has changed", async () => {
  const { sillok, line, store, other, account: rules } = await opened(100);
  const options = { commandId: "id 1/é" };
  const first = await store.execute("account-1", withdraw(100), rules, options);
  const clients = () => [store, other, new Line(server).connect(sillok, { token: line.token })];
  const repeated = async (about: string) => {
    for (const client of clients()) {
      const again = await client.attempt("account-1", withdraw(100), rules, options);
      assert.deepEqual(again, { accepted: true, ...first, replayed: true }, about);
      const expecting = { ...options, expectedVersion: 2 } as const;
      const also = await client.attempt("account-1", withdraw(100), rules, expecting);
      assert.deepEqual(also, again, `${about}, with an expected version`);
    }
  };
  await repeated("now the decision would be a rejection");
  await other.append("account-1", deposited(100));
  await repeated("the decision would be the same again");
  const opening = await store.execute("account-2", open("Ada"), rules, { commandId: "o" });
  const again = await other.execute("account-2", open("Ada"), rules, { commandId: "o" });
  assert.deepEqual(again, { ...opening, replayed: true }, "nothing would happen now");
  const { version } = await store.execute("account-1", deposit(1), rules, { commandId: "id 2" });
  await other.append("account-1", deposited(1));
  const rich = list(sillok, { decide: () => ({ type: "Added", data: Math.random() }) });
  const random = await store.execute("list-1", add(1), rich, { commandId: "r" });
  const same = await other.execute("list-1", add(1), rich, { commandId: "r" });
  assert.deepEqual(same, { ...random, replayed: true }, "it would decide other events");
  assert.deepEqual([version, (await types(store)).length], [5, 6]);
});

test("another command under the id of events is refused", async () => {
  const { store, other, account: rules } = await opened(100);
  const options = { commandId: "used" };
  await store.execute("account-1", deposit(1), rules, options);
  await other.append("account-1", deposited(1), { idempotencyKey: "raw" });
  const others = [
    () => other.execute("account-1", withdraw(50), rules, options),
    () => other.execute("account-1", deposit(2), rules, options),
    // Its own decision would be a rejection.
    () => store.execute("account-1", withdraw(5000), rules, options),
    () => store.execute("account-1", deposit(1), rules, { commandId: "raw" }),
  ];
  for (const execute of others) {
    await assert.rejects(execute, { code: "idempotency_key_reused", stream: "account-1" });
  }
  assert.equal((await other.load("account-1", rules)).version, 4);
});

test("a repeat has the first events in their newest shape", async () => {
  const { sillok, store, other } = await opened(100);
  const define = sillok.aggregate as unknown as (name: string, definition: object) => Any;
  const bank = (upcasts: unknown[]) =>
    define("bank", {
      events: { Deposited: { upcasts } },
      initialState: () => ({}),
      evolve: () => ({}),
      decide: ({ data }: NewEvent) => ({ type: "Deposited", data }),
    });
  const deposit = { type: "Deposit", data: { amount: 5 } };
  const options = { commandId: "id" };
  const first = await store.execute("bank-1", deposit, bank([]), options);
  const toCents = bank([({ amount }: { amount: number }) => ({ cents: amount * 100 })]);
  const again = await other.execute("bank-1", deposit, toCents, options);
  const events = [{ ...first.events[0], schemaVersion: 2, data: { cents: 500 } }];
  assert.deepEqual(again, { ...first, events, replayed: true });
});

test("a command whose answers are lost takes effect once", async () => {
  const {
    store,
    other,
    account: rules,
  } = await opened(100, [answerLost, neverSent, (send) => send()]);
  const options = { commandId: "lost" };
  const { version } = await store.execute("account-1", withdraw(100), rules, options);
  assert.equal(version, 3);
  assert.equal((await other.load("account-1", rules)).state.cents, 0);
  assert.deepEqual(await types(other), ["Opened", "Deposited", "Withdrawn"]);
});

test("a truncated history has no state, and never a part of one", async () => {
  const { sillok, line, store, other, account: rules } = await opened(100);
  await store.load("account-1", rules);
  await other.append("account-1", deposited(1));
  await other.truncate("account-1", { before: 3 });
  // The state in memory has all that was forgotten.
  assert.equal((await store.load("account-1", rules)).state.cents, 101);
  const fresh = new Line(server).connect(sillok, { token: line.token });
  const unavailable = { code: "state_unavailable" };
  await assert.rejects(fresh.load("account-1", rules), unavailable);
  await assert.rejects(fresh.load("account-1", rules, { version: 3 }), unavailable);
  await assert.rejects(fresh.execute("account-1", withdraw(1), rules), unavailable);
  await other.truncate("account-1", { before: 4 });
  await assert.rejects(fresh.load("account-1", rules), unavailable, "nothing is left to read");
  await other.append("account-1", [deposited(1), deposited(1)]);
  await other.truncate("account-1", { before: 6 });
  await assert.rejects(store.execute("account-1", withdraw(1), rules), unavailable);
});

test("code that fails, and wrong arguments, are refused as in other stores", async () => {
  const { sillok, store, account: rules } = await opened(100);
  const boom = new Error("boom");
  const failing = list(sillok, {
    evolve() {
      throw boom;
    },
  });
  const code = "decider_failed";
  await assert.rejects(store.execute("list-1", add(1), failing), { code, cause: boom });
  await assert.rejects(store.execute("account-1", { type: "Close" } as never, rules), {
    code: "unknown_command",
    field: "type",
  });
  for (const [stream, options, refused, field] of [
    ["", {}, "invalid_stream_id", "stream"],
    ["account-1", { commandId: 5 }, "invalid_idempotency_key", "commandId"],
    ["account-1", { commandId: "" }, "invalid_idempotency_key", "commandId"],
    ["account-1", { expectedVersion: "x" }, "invalid_expected_version", "expectedVersion"],
    ["account-1", { expectedVersion: -1 }, "invalid_expected_version", "expectedVersion"],
    ["account-1", { attempts: 0 }, "invalid_parameter", "attempts"],
    ["list-1", {}, "invalid_parameter", "aggregate"],
  ] as const) {
    const executing = store.execute(stream, deposit(1), rules, options as never);
    await assert.rejects(
      executing,
      { code: refused, field },
      `${stream} ${JSON.stringify(options)}`,
    );
  }
  assert.deepEqual(await types(store), ["Opened", "Deposited"]);
});

test("a decision that only the object of a stream can store is refused", async () => {
  const { sillok, store, account: rules } = await opened(100);
  const { process, schedule } = sillok;
  const code = { code: "invalid_parameter", field: "aggregate" };
  const timed = list(sillok, { decide: () => schedule("later", 5, { type: "Add" }) });
  for (const options of [{}, { commandId: "c1" }]) {
    await assert.rejects(store.execute("list-1", add(1), timed, options), {
      ...code,
      message: /^`aggregate` has decided timers: list\..*connect/,
    });
  }
  const { initialState, evolve } = rules;
  const define = process as unknown as (name: string, definition: object) => Any;
  const transfer = define("transfer", { initialState, evolve, decide: () => [] });
  await assert.rejects(store.execute("transfer-1", add(1), transfer), {
    ...code,
    message: /^`aggregate` is a process: transfer\./,
  });
  assert.equal((await store.load("transfer-1", transfer)).version, 0);
  assert.deepEqual(await types(store), ["Opened", "Deposited"]);
});
