// A whole application in memory, with a clock that the test moves.

import assert from "node:assert/strict";
import { test } from "node:test";

import { all } from "./check.ts";
import { useScratch } from "./scratch.ts";
import { DAY, deposit, request, transfersOf } from "./transfers.ts";

const scratch = useScratch();

async function bank() {
  const sillok = await scratch.sillok();
  const { memoryApp } = await scratch.testing();
  return { ...transfersOf(sillok), sillok, memoryApp };
}

test("a transfer is over when its command has been executed", async () => {
  const { account, transfer, memoryApp } = await bank();
  const app = memoryApp({ aggregates: [account], processes: [transfer] });
  assert.equal(app.now, 0);
  await app.execute("account-a", deposit(100), account);
  await app.execute("transfer-1", request("a", "b", 60), transfer);
  assert.equal((await app.load("transfer-1", transfer)).state.status, "Completed");
  assert.equal((await app.load("account-b", account)).state, 60);
  const refused = app.execute("account-a", { type: "Withdraw", data: { cents: 41 } }, account);
  await assert.rejects(refused, { code: "command_rejected" });
  const [event] = await all(app.store.read("account-b"));
  assert.equal(event?.time, "1970-01-01T00:00:00.000Z");
});

test("a lapse of three days takes no real time, and a failed attempt is repeated", async () => {
  const { account, transfer, memoryApp } = await bank();
  // Nobody answers for the accounts.
  const app = memoryApp({
    processes: [transfer],
    onFailure: "list",
    now: new Date("2026-01-01T00:00:00Z"),
  });
  await app.execute("transfer-1", request("a", "b", 60), transfer);
  await app.advance(3 * DAY - 1);
  assert.equal((await app.load("transfer-1", transfer)).state.status, "Requested");
  await app.advance(1);
  assert.equal((await app.load("transfer-1", transfer)).state.status, "Lapsed");
  assert.equal(app.now, Date.parse("2026-01-04T00:00:00Z"));
  const [, lapsed] = await all(app.store.read("transfer-1"));
  assert.equal(lapsed?.time, "2026-01-04T00:00:00.000Z");
  assert.equal((await app.load("account-a", account)).version, 0);
});

test("everything runs at its time, the earliest first: timers, projections and reactors", async () => {
  const { sillok, memoryApp } = await bank();
  const { aggregate, projection, reactor, schedule } = sillok;
  type Rung = { type: "Rung"; data: { at: number } };
  type Command = { type: "Set"; data: number[] } | { type: "Ring" };
  const clock = aggregate<Rung, Command, null>("clock", {
    initialState: () => null,
    evolve: () => null,
    decide: (command, _, { now }) =>
      command.type === "Set"
        ? command.data.map((at) => schedule(`${at}`, at, { type: "Ring" }))
        : { type: "Rung", data: { at: now } },
  });
  const seen: [string, number][] = [];
  let failures = 1;
  const app = memoryApp({
    aggregates: [clock],
    onFailure: "list",
    projections: [
      projection<Rung, number>("count", {
        on: (_, documents) => documents.put("all", (documents.get("all") ?? 0) + 1),
      }),
    ],
    reactors: [
      reactor<Rung>("watcher", {
        on({ data, time }) {
          seen.push([time.slice(11, 19), data.at]);
          if (data.at === 2000 && failures-- > 0) throw new Error("not now");
        },
        firstDelay: 4000,
      }),
    ],
  });
  await app.execute("clock-1", { type: "Set", data: [3000, 1000, 2000] }, clock);
  await app.advance(2500);
  assert.equal(app.now, 2500);
  assert.deepEqual(seen, [
    ["00:00:01", 1000],
    ["00:00:02", 2000],
  ]);
  assert.equal(await app.documents({ name: "count" } as never).get("all"), 2);
  await app.advance(10_000);
  const again = [
    ["00:00:02", 2000],
    ["00:00:03", 3000],
  ];
  assert.deepEqual(
    seen.slice(2),
    again,
    "the failed attempt is repeated, and then comes the next event",
  );
  assert.equal((await app.consumer("watcher").status()).failures, 0);
  assert.equal((await all(app.store.read("clock-1"))).length, 3);
});

test("work without an end at one time is an error that names it", async () => {
  const { sillok, memoryApp } = await bank();
  const { aggregate, process, schedule, send } = sillok;
  const again = aggregate<{ type: "A" }, { type: "Set" }, null>("again", {
    initialState: () => null,
    evolve: () => null,
    decide: (_, __, { now }) => schedule("again and again", now, { type: "Set" }),
  });
  const app = memoryApp({ aggregates: [again], now: 5 });
  const endless = app.execute("again-1", { type: "Set" }, again);
  await assert.rejects(endless, {
    name: "SillokError",
    code: "decider_failed",
    stream: "again-1",
    field: "again and again",
    message:
      /due at the time 5, 10001 of them of again-1\. The last is the timer again and again\. /,
  });
  // The time of the application stands, and the store can be used.
  assert.equal(app.now, 5);
  assert.equal(await app.store.cancelTimer("again-1", "again and again"), true);
  await app.advance(1);
  assert.equal(app.now, 6);

  const account = aggregate<{ type: "A" }, { type: "Do" }, null>("account", {
    initialState: () => null,
    evolve: () => null,
    decide: () => [],
  });
  const asks = process<{ type: "A" }, { type: "Ask" }, null>("asks", {
    initialState: () => null,
    evolve: () => null,
    decide: () => send("more", account, "1", { type: "Do" }),
    answered: { more: () => send("more", account, "1", { type: "Do" }) },
  });
  const asking = memoryApp({ aggregates: [account], processes: [asks] });
  await assert.rejects(asking.execute("asks-1", { type: "Ask" }, asks), {
    code: "decider_failed",
    stream: "asks-1",
    message: /of them of asks-1\. The last is the sent command /,
  });
});

test("ten thousand timers may be due at one time", async () => {
  const { sillok, memoryApp } = await bank();
  const clock = sillok.aggregate<{ type: "Rung" }, { type: "Set" | "Ring" }, number>("clock", {
    initialState: () => 0,
    evolve: (count) => count + 1,
    decide: ({ type }) =>
      type === "Ring"
        ? { type: "Rung" }
        : Array.from({ length: 1000 }, (_, n) => sillok.schedule(`${n}`, DAY, { type: "Ring" })),
  });
  const app = memoryApp({ aggregates: [clock] });
  for (let n = 0; n < 10; n += 1) await app.execute(`clock-${n}`, { type: "Set" }, clock);
  await app.advance(DAY);
  for (let n = 0; n < 10; n += 1) assert.equal((await app.load(`clock-${n}`, clock)).state, 1000);
});

test("an answer for which new code has no function is kept, attempted again, and parked", async () => {
  const { account, sillok, memoryApp } = await bank();
  const rules = { initialState: () => 0, evolve: (count: number) => count + 1 };
  type Command = { type: "Ask" };
  const ask = () => sillok.send("sale", account, "a", deposit(5));
  const asksWith = (answered: Record<string, () => { type: "Done" }>) =>
    sillok.process<{ type: "Done" }, Command, number>("asks", { ...rules, decide: ask, answered });
  const [old, changed] = [asksWith({ sale: () => ({ type: "Done" }) }), asksWith({})];
  const app = memoryApp({ aggregates: [account], onFailure: "list" });
  await app.store.execute("asks-1", { type: "Ask" }, old);
  const refused = app.store.execute("asks-2", { type: "Ask" }, changed);
  await assert.rejects(refused, { code: "decider_failed", field: "sent[0].name" });
  assert.deepEqual(await all(app.store.sent("asks-2")), []);

  const gateway = new sillok.EventGateway(app.store).register(account, changed);
  let now = await gateway.catchUp();
  for (let attempts = 1; now !== undefined; attempts += 1) {
    const [waiting] = await all(app.store.sent("asks-1"));
    assert.deepEqual([waiting?.state, waiting?.failedAttempts], ["due", attempts]);
    await app.advance(now - app.now);
    now = await gateway.catchUp();
  }
  const [parked] = await all(app.store.sent("asks-1"));
  assert.deepEqual([parked?.state, parked?.failedAttempts], ["parked", 16]);
  assert.equal(parked?.lastError?.code, "decider_failed");
  assert.match(parked?.lastError?.detail ?? "", /no function in `answered` for the name "sale"/);

  assert.equal(await app.store.retrySent("asks-1", parked?.id ?? ""), true);
  await new sillok.EventGateway(app.store).register(account, old).catchUp();
  assert.equal((await app.load("asks-1", old)).state, 1);
  assert.deepEqual(await all(app.store.sent("asks-1")), []);
  assert.equal((await app.load("account-a", account)).state, 5, "it took effect once");
});

test("two applications have two clocks", async () => {
  const { account, memoryApp } = await bank();
  const [one, other] = [memoryApp({ aggregates: [account] }), memoryApp({ aggregates: [account] })];
  await one.advance(DAY);
  await one.execute("account-a", deposit(1), account);
  await other.execute("account-a", deposit(1), account);
  const times = await Promise.all(
    [one, other].map(async ({ store }) => (await all(store.read("account-a")))[0]?.time),
  );
  assert.deepEqual(times, ["1970-01-02T00:00:00.000Z", "1970-01-01T00:00:00.000Z"]);
});

test("wrong options are refused, naming the field", async () => {
  const { account, sillok, memoryApp } = await bank();
  const refused = (call: () => unknown, code: string, field: string) =>
    assert.throws(call, { code, field });
  refused(() => memoryApp({ wrong: 1 } as never), "invalid_parameter", "wrong");
  for (const now of [-1, Number.NaN, "x", new Date(Number.NaN)]) {
    refused(() => memoryApp({ now: now as never }), "invalid_parameter", "now");
  }
  refused(() => memoryApp({ aggregates: [account, account] }), "invalid_consumer", "name");
  refused(() => new sillok.EventStore("x" as never), "invalid_parameter", "path");
  refused(() => new sillok.EventStore({ now: 5 as never }), "invalid_parameter", "now");
  const app = memoryApp();
  await assert.rejects(app.advance(-1), { code: "invalid_parameter", field: "milliseconds" });
  const broken = new sillok.EventStore({ now: () => Number.NaN });
  const appended = broken.append("account-1", { type: "A" });
  await assert.rejects(appended, { code: "invalid_parameter", field: "now" });
});

test("aggregates, documents and the environment are those of a deployed Worker", async () => {
  const { sillok, memoryApp } = await bank();
  const account = sillok.aggregate<
    { type: "Added"; data: number },
    { type: "Add"; data: number },
    number
  >("account", {
    initialState: () => 0,
    evolve: (sum, { data }) => sum + data,
    decide: ({ data }) => (data > 0 ? { type: "Added", data } : sillok.reject("nothing")),
  });
  const sums = sillok.projection<{ type: "Added"; data: number }, number>("sums", {
    on: ({ stream, data }, documents) => documents.put(stream, (documents.get(stream) ?? 0) + data),
  });
  const sent: string[] = [];
  const mailer = sillok.reactor<{ type: "Added"; data: number }, { send(to: string): void }>(
    "mailer",
    {
      on: ({ stream }, { env }) => env.send(stream),
    },
  );
  const env = { send: (to: string) => void sent.push(to) };
  const app = memoryApp({ aggregates: [account], projections: [sums], reactors: [mailer], env });
  const mine = app.aggregate("account", "7");
  assert.equal((await mine.execute({ type: "Add", data: 5 })).version, 1);
  const refused = await mine.attempt({ type: "Add", data: 0 });
  assert.equal(!refused.accepted && refused.rejection.code, "nothing");
  assert.equal((await mine.attempt({ type: "Add", data: 2 })).accepted, true);
  assert.deepEqual([mine.stream, (await mine.state()).state], ["account-7", 7]);
  assert.equal(await app.documents(sums).get("account-7"), 7);
  assert.deepEqual(await app.documents(sums).list(), [{ key: "account-7", document: 7 }]);
  assert.deepEqual(sent, ["account-7", "account-7"]);
  assert.deepEqual(app.failures, []);
  assert.throws(() => app.aggregate("none" as never, "1"), { code: "no_aggregate", field: "name" });
});

test("a failure is thrown with its cause, or listed", async () => {
  const { sillok, memoryApp } = await bank();
  const cause = new RangeError("no room");
  const parts = {
    projections: [
      sillok.projection("full", {
        on: () => {
          throw cause;
        },
        attempts: 2,
        firstDelay: 10,
      }),
    ],
    reactors: [
      sillok.reactor("mailer", { on: { Sent: () => Promise.reject(cause) }, attempts: 1 }),
    ],
  };
  const thrown = memoryApp(parts);
  await thrown.store.append("letter-1", { type: "Sent" });
  await assert.rejects(thrown.advance(0), { message: /failed in attempt 1: no room$/, cause });
  assert.equal(thrown.failures.length, 2);

  const app = memoryApp({ ...parts, onFailure: "list" });
  await app.store.append("letter-1", { type: "Sent" });
  await app.advance(DAY);
  const found = app.failures.map(({ consumer, stream, version, attempt, error }) =>
    [consumer, stream, version, attempt, error === cause].join(),
  );
  assert.deepEqual(found.toSorted(), [
    "full,letter-1,1,1,true",
    "full,letter-1,1,2,true",
    "mailer,letter-1,1,1,true",
  ]);
  assert.throws(() => memoryApp({ onFailure: "ignore" as never }), { field: "onFailure" });
});

test("a timer that fails is a failure with its key", async () => {
  const { sillok, memoryApp } = await bank();
  const clock = sillok.aggregate<{ type: "A" }, { type: "Set" | "Ring" }, null>("clock", {
    initialState: () => null,
    evolve: () => null,
    decide: ({ type }, _, { now }) => {
      if (type === "Ring") throw new Error("it does not ring");
      return sillok.schedule("ring", now + DAY, { type: "Ring" });
    },
  });
  const app = memoryApp({ aggregates: [clock] });
  await app.aggregate("clock", "1").execute({ type: "Set" });
  await assert.rejects(
    app.advance(DAY),
    /the timer ring of clock-1 failed in attempt 1: .* for the command Ring, has thrown an error/,
  );
  assert.deepEqual([app.failures[0]?.key, app.failures[0]?.stream], ["ring", "clock-1"]);
});
