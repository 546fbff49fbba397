import type { Aggregate, Documents, NewEvent, RecordedEvent, SillokError } from "sillok";

import type { Behaviours, Sillok } from "./behaviour.ts";
import { all, count, rejection, same } from "./check.ts";
import { account, add, type Any, deposit, list } from "./ledger.ts";

const TIMES = 12;

/** A sum of deposits in cents, by code that knows these upcasts. */
function bank({ aggregate }: Pick<Sillok, "aggregate">, upcasts: unknown[], parts: object = {}) {
  const define = aggregate as unknown as (name: string, definition: object) => Any;
  return define("bank", {
    events: { Deposited: { upcasts } },
    initialState: () => ({ cents: 0 }),
    evolve: ({ cents }: { cents: number }, { data }: { data: { cents: number } }) => ({
      cents: cents + data.cents,
    }),
    decide: ({ data }: NewEvent) => ({ type: "Deposited", data }),
    ...parts,
  });
}

const toAmount = ({ text }: { text: string }) => ({ amount: Number(text) });
const toCents = ({ amount }: { amount: number }) => ({ cents: amount * 100 });

/** A stream `bank-1` whose events have the schema versions 1, 2 and 3, each written by the code of its time. */
async function mixed(sillok: Sillok) {
  const store = new sillok.EventStore();
  const codes = [bank(sillok, [], { evolve: () => ({}) }), bank(sillok, [toAmount])];
  const newest = bank(sillok, [toAmount, toCents]);
  const data = [{ text: "1" }, { amount: 2 }, { cents: 3 }];
  for (const place of [0, 1, 1, 2]) {
    const command = { type: "Deposit", data: data[place] };
    await store.execute("bank-1", command, codes[place] ?? newest);
  }
  return { store, newest };
}

/** States: how they are loaded, what old events mean to new code, and snapshots. */
export const loading: Behaviours = {
  async "a state is loaded at every version, and at times between the commits"(sillok) {
    const store = new sillok.EventStore();
    const rules = list(sillok, { snapshotEvery: 5 });
    const times: number[] = [];
    const began = Date.now() - 1;
    for (const n of count(1, TIMES)) {
      const commit = await store.append("list-1", [
        { type: "Added", data: n },
        { type: "Added", data: -n },
      ]);
      if (n % 4 === 0) await store.load("list-1", rules);
      times.push(Date.parse(commit.time));
      await new Promise((resolve) => setTimeout(resolve, 3));
    }
    const events = await all(store.read("list-1"));
    const fold = (to: number) => ({ list: events.slice(0, to).map(({ data }) => data) });
    for (const version of count(0, 2 * TIMES)) {
      same(await store.load("list-1", rules, { version }), { state: fold(version), version });
    }
    for (const [place, time] of times.entries()) {
      const version = 2 * (times.lastIndexOf(time) + 1);
      same(await store.load("list-1", rules, { time }), { state: fold(version), version });
      const before = await store.load("list-1", rules, { time: new Date(time - 1) });
      const earlier = 2 * times.filter((other) => other < time).length;
      same(before, { state: fold(earlier), version: earlier }, `before commit ${place + 1}`);
    }
    const first = { state: { list: [] }, version: 0 };
    same(await store.load("list-1", rules, { time: began }), first);
    same(await store.load("list-2", rules), first);
    same(await store.load("list-2", rules, { version: 0 }), first);
    same(await store.load("list-2", rules, { time: 0 }), first);
  },

  async "a repeat has the events of its first outcome in their newest shape"(sillok) {
    const store = new sillok.EventStore();
    const codes = [
      bank(sillok, [], { evolve: () => ({}) }),
      bank(sillok, [toAmount], { evolve: () => ({}) }),
      bank(sillok, [toAmount, toCents]),
    ];
    const deposit = { type: "Deposit", data: { text: "5" } };
    const options = { commandId: "id" };
    const [oldest, ...newer] = codes as [Any, ...Any[]];
    const first = await store.execute("bank-1", deposit, oldest, options);
    same(first.events[0]?.data, { text: "5" });
    for (const [place, code] of newer.entries()) {
      const shape = { schemaVersion: place + 2, data: [{ amount: 5 }, { cents: 500 }][place] };
      const again = await store.attempt("bank-1", deposit, code, options);
      const events = [{ ...first.events[0], ...shape }];
      same(again, { accepted: true, ...first, events, replayed: true });
    }
    // The code of a repeat may be older than its event.
    const [, old, newest] = codes as [Any, Any, Any];
    const cents = { type: "Deposit", data: { cents: 5 } };
    await store.execute("bank-2", cents, newest, options);
    const tooNew = await rejection(store.execute("bank-2", cents, old, options));
    same((tooNew as { code?: unknown }).code, "event_too_new");
  },

  async "a loaded state is deeply frozen"(sillok) {
    const store = new sillok.EventStore();
    await store.execute("list-1", add([{ deep: [1] }]), list(sillok));
    for (const options of [{}, { version: 1 }]) {
      const { state } = await store.load("list-1", list(sillok), options);
      const [[item]] = (state as { list: [[{ deep: number[] }]] }).list;
      same([Object.isFrozen(state), Object.isFrozen(item.deep)], [true, true]);
    }
  },

  async "a stored event of an undeclared type is an error, or is skipped"(sillok) {
    const store = new sillok.EventStore();
    await store.append("list-1", [{ type: "Added", data: 1 }, { type: "Frozen" }]);
    const events = { Added: {} };
    for (const work of [
      (rules: Any) => store.load("list-1", rules),
      (rules: Any) => store.load("list-1", rules, { version: 2 }),
      (rules: Any) => store.execute("list-1", add(2), rules),
    ]) {
      const error = await rejection(work(list(sillok, { events })));
      const { code, message } = error as { code?: unknown; message: string };
      same(code, "unknown_event");
      for (const part of ["list-1", "version 2", "Frozen"]) {
        same(message.includes(part), true, message);
      }
      same((await all(store.read("list-1"))).length, 2);
    }
    const skipping = list(sillok, { events, unknownEvents: "skip" });
    await store.execute("list-1", add(2), skipping);
    same(await store.load("list-1", skipping), { state: { list: [1, 2] }, version: 3 });
    const { EventGateway, projection } = sillok;
    const counting = projection("counting", {
      events: skipping.events,
      on: ({ type, version }, documents) => documents.put(`${version}`, type),
    });
    const gateway = new EventGateway(store).register(counting);
    await gateway.catchUp();
    same(await gateway.projection(counting).get("3"), "Added");
  },

  async "events of all schema versions are upcast wherever code sees them, and nowhere else"(
    sillok,
  ) {
    const { store, newest } = await mixed(sillok);
    const raw = (await all(store.read("bank-1"))).map(({ schemaVersion, data }) => [
      schemaVersion,
      data,
    ]);
    same(raw, [
      [undefined, { text: "1" }],
      [2, { amount: 2 }],
      [2, { amount: 2 }],
      [3, { cents: 3 }],
    ]);
    const cents = [100, 200, 200, 3];
    same(await store.load("bank-1", newest), { state: { cents: 503 }, version: 4 });
    same((await store.load("bank-1", newest, { version: 2 })).state, { cents: 300 });
    const seen: unknown[] = [];
    const { EventGateway, projection, reactor } = sillok;
    const documents = projection("documents", {
      events: newest.events as Aggregate["events"],
      on: ({ version, data }, own) => own.put(`${version}`, data),
    });
    const noting = reactor("noting", {
      events: newest.events as Aggregate["events"],
      on: ({ data }) => void seen.push(data),
    });
    const gateway = new EventGateway(store).register(documents, noting);
    await gateway.catchUp();
    const shown = (await all(gateway.projection(documents).documents())).map(
      ({ document }) => document,
    );
    const newestData = cents.map((value) => ({ cents: value }));
    same([shown, seen], [newestData, newestData]);
    same(
      (await all(store.readAll())).map(({ data }) => data),
      raw.map(([, data]) => data),
    );
    same((await store.verify("bank-1")).intact, true);
    const [line = ""] = await all(store.exportCommits("bank-1"));
    same(JSON.parse((JSON.parse(line) as { events: string }).events)[0].data, { text: "1" });
  },

  async "an event of newer code is an error wherever code sees it"(sillok) {
    const { store } = await mixed(sillok);
    const older = bank(sillok, [toAmount]);
    for (const refused of [
      store.load("bank-1", older),
      store.load("bank-1", older, { version: 4 }),
      store.execute("bank-1", deposit(1) as never, older),
    ]) {
      const error = await rejection(refused);
      const { code, message } = error as { code?: unknown; message: string };
      same([code, message.includes("version 4 of bank-1")], ["event_too_new", true], message);
    }
    same((await all(store.read("bank-1"))).length, 4);
    const { EventGateway, projection } = sillok;
    const old = projection("old", {
      events: older.events,
      on: ({ version, data }: RecordedEvent, own: Documents) => own.put(`${version}`, data),
      onFailure: "stop",
      attempts: 1,
    } as never);
    const gateway = new EventGateway(store).register(old);
    await gateway.catchUp().catch(() => undefined);
    same(await gateway.projection("old").get("4"), undefined);
  },

  async "a new upcast without a new state version does not use the old snapshots"(sillok) {
    const store = new sillok.EventStore();
    const old = bank(sillok, [], { snapshotEvery: 2 });
    for (const cents of count(1, 5)) {
      await store.execute("bank-1", { type: "Deposit", data: { cents } }, old);
    }
    const folded = { times: 0 };
    const evolve = ({ cents }: { cents: number }, { data }: { data: { cents: number } }) => {
      folded.times += 1;
      return { cents: cents + data.cents };
    };
    const twice = bank(sillok, [({ cents }: { cents: number }) => ({ cents: 2 * cents })], {
      evolve,
    });
    same((await store.load("bank-1", twice)).state, { cents: 30 });
    same(folded.times, 5, "all events were folded");
    // Rolling back replays only what is after the old snapshot.
    const again = bank(sillok, [], { evolve, snapshotEvery: 2 });
    folded.times = 0;
    same((await store.load("bank-1", again)).state, { cents: 15 });
    same(folded.times, 1, "events after the snapshot were folded");
    const other = bank(sillok, [], { evolve, stateVersion: 2 });
    folded.times = 0;
    same([(await store.load("bank-1", other)).state, folded.times], [{ cents: 15 }, 5]);
  },

  async "code that knows more types does not go on from the snapshots of code that skips them"(
    sillok,
  ) {
    const define = sillok.aggregate as unknown as (name: string, definition: object) => Any;
    const counting = (steps: Record<string, number>, parts: object = {}) =>
      define("x", {
        events: Object.fromEntries(Object.keys(steps).map((type) => [type, {}])),
        initialState: () => 0,
        evolve: (state: number, { type }: NewEvent) => state + (steps[type] ?? NaN),
        decide: () => ({ type: "Old" }),
        snapshotEvery: 1,
        unknownEvents: "skip",
        ...parts,
      });
    const store = new sillok.EventStore();
    await store.append("x-1", { type: "New" });
    await store.execute("x-1", { type: "Add" }, counting({ Old: 1 }));
    const newer = [
      counting({ Old: 1, New: 100 }),
      counting({ Old: 1, New: 100 }, { unknownEvents: "fail" }),
    ];
    for (const rules of newer) same((await store.load("x-1", rules)).state, 101);
    same((await store.load("x-1", counting({ Old: 1 }))).state, 1);
  },

  async "a state that is too large for a snapshot, or that JSON changes, has none"(sillok) {
    const store = new sillok.EventStore();
    const large = list(sillok, {
      snapshotEvery: 1,
      evolve: (state: { list: unknown[] }, { data }: NewEvent) => ({
        list: [...state.list, data],
        more: "x".repeat(2 ** 20),
      }),
    });
    for (const data of [1, 2, 3]) await store.execute("list-1", add(data), large);
    const { state, version } = await store.load("list-1", large);
    same([(state as { list: unknown }).list, version], [[1, 2, 3], 3]);
    const numberless = list(sillok, { snapshotEvery: 1, evolve: () => [undefined] });
    for (const data of [1, 2]) await store.execute("list-2", add(data), numberless);
    same((await store.load("list-2", numberless)).version, 2);
  },

  async "a state that cannot be frozen is refused"(sillok) {
    class Money {
      cents = 1;
    }
    const states: [unknown, string][] = [
      [new Map(), "state is [object Map]"],
      [{ seen: new Set([1]) }, "state.seen is [object Set]"],
      [[new Date(0)], "state[0] is a Date"],
      [{ bytes: new Uint8Array(1) }, "state.bytes is [object Uint8Array]"],
      [{ deep: [{ money: new Money() }] }, "state.deep[0].money is an instance of a class"],
    ];
    for (const [state, what] of states) {
      const store = new sillok.EventStore();
      const rules = list(sillok, { evolve: () => state });
      const error = (await rejection(store.execute("list-1", add(1), rules))) as SillokError;
      same([error.code, error.message.includes(what)], ["decider_failed", true]);
      same(await all(store.read("list-1")), []);
    }
  },

  async "many streams at once have a state each"(sillok) {
    const store = new sillok.EventStore();
    const rules = list(sillok);
    // More than a store keeps in memory.
    const streams = count(1, 1200).map((n) => `list-${n}`);
    for (const version of [1, 2]) {
      const outcomes = await Promise.all(streams.map((name) => store.execute(name, add(1), rules)));
      same(
        outcomes.every((outcome) => outcome.version === version),
        true,
      );
    }
  },

  async "a truncated history has a state only where a snapshot fits"(sillok) {
    const store = new sillok.EventStore();
    const rules = () => list(sillok, { snapshotEvery: 3 });
    const live = rules();
    for (const data of count(1, 7)) await store.execute("list-1", add(data), live);
    await store.truncate("list-1", { before: 6 });
    const fresh = rules();
    same(await store.load("list-1", fresh), { state: { list: count(1, 7) }, version: 7 });
    same((await store.load("list-1", fresh, { version: 6 })).state, { list: count(1, 6) });
    const other = list(sillok, { snapshotEvery: 3, stateVersion: 2 });
    for (const refused of [
      store.load("list-1", fresh, { version: 5 }),
      store.load("list-1", fresh, { time: 0 }),
      store.load("list-1", other),
      store.execute("list-1", add(8), other),
    ]) {
      same(((await rejection(refused)) as { code?: unknown }).code, "state_unavailable");
    }
    same((await store.execute("list-1", add(8), fresh)).version, 8);
  },

  async "a long stream is loaded while other code has its turn"(sillok) {
    const store = new sillok.EventStore();
    const events = count(1, 1000).map(() => ({ type: "Deposited", data: { cents: 1 } }));
    await store.append("account-1", { type: "Opened", data: { owner: "Ada" } });
    for (const _ of count(1, 12)) await store.append("account-1", events);
    const { account: rules } = account(sillok);
    let turns = 0;
    const timer = setInterval(() => (turns += 1), 0);
    const state = { owner: "Ada", cents: 12_000 };
    same(await store.load("account-1", rules), { state, version: 12_001 });
    same((await store.load("account-1", rules, { version: 12_000 })).version, 12_000);
    clearInterval(timer);
    same(turns > 0, true);
  },
};
