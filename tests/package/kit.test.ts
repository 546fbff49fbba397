// The tests of aggregates in `sillok/testing`: what must fail, and whether the message names it.

import assert from "node:assert/strict";
import { test } from "node:test";
import { z } from "zod";

import type { Aggregate } from "sillok";
import { zodAccount } from "./aggregates.ts";
import { useScratch } from "./scratch.ts";
import { shows } from "./shows.ts";

const scratch = useScratch();

type Definition = Record<string, unknown>;
interface State {
  readonly list: unknown[];
}

const opened = { type: "Opened", data: { owner: "Ada" } } as const;
const deposited = (cents: number) => ({ type: "Deposited", data: { cents } }) as const;
const withdrawn = (cents: number) => ({ type: "Withdrawn", data: { cents } }) as const;
const withdraw = (cents: number) => ({ type: "Withdraw", data: { cents } }) as const;
const add = { type: "Add", data: 1 };
const added = { type: "Added", data: 1 };

async function account() {
  const sillok = await scratch.sillok();
  const { given, laws } = await scratch.testing();
  const own = zodAccount(sillok);
  return { account: own, given, laws };
}

/** An aggregate by functions, as a wrong one would be. */
async function list(definition: Definition) {
  const { aggregate } = await scratch.sillok();
  const { given, laws } = await scratch.testing();
  const define = aggregate as unknown as (name: string, definition: object) => Aggregate;
  const rules = {
    initialState: () => ({ list: [] }),
    decide: () => [added],
    evolve: (state: State, { data }: { data: unknown }) => ({ list: [...state.list, data] }),
    ...definition,
  };
  return { list: define("list", rules), given, laws };
}

/** The text as a pattern. */
const escaped = (text: string) => text.replaceAll(/[\\^$.*+?()[\]{}|]/g, "\\$&");

test("an expectation that holds says nothing", async () => {
  const { account: own, given } = await account();
  const funded = given(own, [opened, deposited(100)]);
  // A runner would wait for a result with the method `then`.
  assert.equal("then" in funded.when(withdraw(30)).then([withdrawn(30)]), false);
  funded.when(withdraw(30)).then(withdrawn(30));
  funded.when(withdraw(30)).thenState({ owner: "Ada", cents: 70 });
  funded.when(withdraw(500)).thenRejected("insufficient_funds", { missing: 400 });
  funded.when(withdraw(500)).thenState({ owner: "Ada", cents: 100 });
  given(own).when(withdraw(1)).thenRejected("not_open");
  funded.when({ type: "Open", data: {} }).thenNothing();
  funded.when({ type: "Close" }, { now: 99 }).thenRejected("too_early");
  funded.when({ type: "Close" }, { now: 100 }).then([withdrawn(100), { type: "Closed" }]);
  funded.when(withdraw(-1)).thenFails("invalid_command");
  funded.when({ type: "Burn" } as never).thenFails("unknown_command");
  const old = { type: "Deposited", schemaVersion: 1, data: { text: "1" } };
  given(own, [opened, old]).when(withdraw(30)).thenState({ owner: "Ada", cents: 70 });
  const strange = { type: "Frozen", schemaVersion: 1 };
  given(own, [strange]).when(withdraw(1)).thenFails("unknown_event");
});

test("a wrong order, an extra event or an extra field fails with its place", async () => {
  const { account: own, given } = await account();
  const closing = given(own, [opened, deposited(100)]).when({ type: "Close" }, { now: 100 });
  const wrongOrder = () => closing.then([{ type: "Closed" }, withdrawn(100)]);
  shows(
    wrongOrder,
    /decision differs .* `events\[0\]\.type`/,
    '- type: "Closed",',
    '+ type: "Closed",',
  );
  shows(() => closing.then([withdrawn(100)]), /`events\[1\]`/, '+ type: "Closed",');
  shows(() => closing.then([withdrawn(100), withdrawn(100)]), /`events\[1\]\.type`/);
  shows(() => closing.thenNothing(), /`events\[0\]`/, "+ cents: 100,", "- events: [],");
  const taking = given(own, [opened, deposited(100)]).when(withdraw(30));
  const more = { type: "Withdrawn", data: { cents: 30, fee: 1 } } as never;
  shows(() => taking.then(more), /`events\[0\]\.data\.fee`/, "- fee: 1,");
  shows(
    () => taking.then(withdrawn(31)),
    /`events\[0\]\.data\.cents`/,
    "- cents: 31,",
    "+ cents: 30,",
  );
  const tooMuch = { owner: "Ada", cents: 70, more: 1 };
  shows(() => taking.thenState(tooMuch), /state differs .* `state\.more`/, "- more: 1,");
  const { list: noted, given: other } = await list({
    decide: () => ({ ...added, metadata: { by: "x" } }),
  });
  const decided = other(noted).when(add as never);
  shows(() => decided.then(added as never), /`events\[0\]\.metadata`/, '+ by: "x",');
});

test("another kind of decision fails, and says which it was", async () => {
  const { account: own, given } = await account();
  const refused = given(own, [opened]).when(withdraw(5));
  shows(() => refused.then(withdrawn(5)), /decision differs/, '+ code: "insufficient_funds",');
  shows(() => refused.thenRejected("not_open"), /`rejection\.code`/, '- code: "not_open",');
  const fewer = () => refused.thenRejected("insufficient_funds", { missing: 4 });
  shows(fewer, /`rejection\.data\.missing`/, "- missing: 4,", "+ missing: 5,");
  shows(() => refused.thenRejected("insufficient_funds"), /`rejection\.data`/);
  shows(() => refused.thenFails("invalid_command"), /decision differs/);
  const boom = { decide: () => assert.fail("boom") };
  const { list: broken, given: other } = await list(boom);
  const failed = other(broken).when(add as never);
  failed.thenFails("decider_failed");
  shows(
    () => failed.then(added as never),
    /differs/,
    '+ code: "decider_failed",',
    '+ cause: "AssertionError [ERR_ASSERTION]: boom",',
  );
  shows(() => failed.thenState(1 as never), /differs/);
  shows(() => failed.thenFails("async_decider"), /`error\.code`|differs/);
});

test("code that changes its arguments fails with the change", async () => {
  const pushing = {
    decide(_: unknown, state: State) {
      state.list.push(5);
      return [added];
    },
  };
  const deciding = await list(pushing);
  const headline = /`decide` .* changes `state\.list\[0\]`/;
  shows(() => deciding.given(deciding.list).when(add as never), headline, "+ 5,");
  shows(() => deciding.laws(deciding.list, [[]], [add]), headline, "+ 5,");
  const folding = await list({
    evolve(state: State, { data }: { data: unknown }) {
      state.list.push(data);
      return state;
    },
  });
  const place = /history 0, version 1: `evolve` .* for Added, changes `state\.list\[0\]`/;
  shows(() => folding.laws(folding.list, [[added]]), place, "+ 1,");
});

test("code that reads the clock or random numbers fails, and names the call", async () => {
  const impure: [() => unknown, string][] = [
    [() => Date.now(), "Date.now()"],
    [() => new Date().getTime(), "new Date()"],
    [() => Date(), "Date()"],
    [() => Math.random(), "Math.random()"],
    [() => performance.now(), "performance.now()"],
    [() => crypto.randomUUID(), "crypto.randomUUID()"],
    [() => crypto.getRandomValues(new Uint8Array(4))[0], "crypto.getRandomValues()"],
  ];
  for (const [call, name] of impure) {
    const headline = new RegExp(`calls ${name.replaceAll(/[().]/g, "\\$&")}`);
    const deciding = await list({ decide: () => ({ type: "Added", data: call() }) });
    shows(() => deciding.given(deciding.list).when(add as never), headline);
    const folding = await list({ evolve: () => ({ list: [call()] }) });
    shows(() => folding.laws(folding.list, [[added]]), headline);
  }
  const clock = await list({ decide: () => ({ type: "Added", data: Date.now() }) });
  const day = () => clock.given(clock.list).when(add as never);
  shows(day, /calls Date\.now/, "- data: 1000000000000,", "+ data: 1000086400000,");
  // The platform's own functions are back.
  assert.ok(Math.abs(Date.now() - new Date().getTime()) < 1000 && Date.now() > 1_700_000_000_000);
  assert.ok(new Date() instanceof Date && Object.getOwnPropertyNames(crypto).length === 0);
  const fixed = await list({ decide: () => ({ type: "Added", data: new Date(5).getTime() }) });
  fixed
    .given(fixed.list)
    .when(add as never)
    .then({ type: "Added", data: 5 } as never);
});

test("code that gives two results fails with both", async () => {
  let calls = 0;
  const counting = await list({ decide: () => ({ type: "Added", data: (calls += 1) }) });
  const headline = /gives two results .* `result\.data`/;
  shows(
    () => counting.given(counting.list).when(add as never),
    headline,
    "- data: 1,",
    "+ data: 2,",
  );
});

test("a state that JSON changes fails with its place", async () => {
  class Money {
    cents = 5;
  }
  const states: [unknown, RegExp, ...string[]][] = [
    [
      new Date(0),
      /JSON changes the state from `evolve` of the aggregate list, for Added: state\.at is a Date/,
      '+ at: "1970-01-01T00:00:00.000Z",',
      "- at: Date(0),",
    ],
    [NaN, /state\.at is NaN/, "- at: NaN,", "+ at: null,"],
    [new Map(), /state\.at is \[object Map\]/, "- at: Map {},", "+ at: {},"],
    [[undefined], /state\.at\[0\] is undefined/, "- undefined,", "+ null,"],
    [new Money(), /state\.at is an instance of a class/, "- at: Money {", "+ at: {"],
  ];
  for (const [at, headline, ...lines] of states) {
    const { list: own, laws, given } = await list({ evolve: () => ({ at }) });
    shows(() => laws(own, [[added]]), headline, ...lines);
    shows(() => given(own, [added]).when(add as never), headline, ...lines);
  }
  const { list: own, laws } = await list({});
  const dated = [{ type: "Added", data: new Date(0) }];
  shows(() => laws(own, [dated]), /JSON changes history\[0\].*data is a Date/);
});

test("a lawful aggregate passes, and each place is tested", async () => {
  const { account: own, laws } = await account();
  const history = [
    opened,
    deposited(5),
    { type: "Deposited", schemaVersion: 2, data: { amount: 1 } },
    withdrawn(3),
  ];
  const commands = [
    withdraw(50),
    withdraw(1),
    { type: "Open", data: {} },
    { type: "Close" },
  ] as const;
  laws(own, [[], history], commands);
  const wrong = [{ type: "Deposited", data: { cents: "5" } }] as never;
  shows(
    () => laws(own, [[], wrong]),
    /^history 1: `events\[0\]\.data\.cents` of Deposited is wrong/,
  );
  const bad = { type: "Withdraw", data: { cents: "5" } } as never;
  shows(() => laws(own, [history], [bad]), /^history 0, version 0, commands\[0\]: data\.cents/);
});

test("upcasts that make data which the schema refuses fail", async () => {
  const { aggregate } = await scratch.sillok();
  const { given, laws } = await scratch.testing();
  const note = (upcasts: ((data: any) => unknown)[]) =>
    aggregate("note", {
      events: { Noted: { schema: z.object({ text: z.string(), by: z.string() }), upcasts } },
      commands: { Note: z.null() },
      initialState: () => ({ texts: [] as string[] }),
      evolve: { Noted: ({ texts }, { text }) => ({ texts: [...texts, text] }) },
      decide: { Note: () => [] },
    });
  const old = (schemaVersion: number, data: unknown) => [{ type: "Noted", schemaVersion, data }];
  const toText = (data: { note: string }) => ({ text: data.note });
  const withBy = (data: { text: string }) => ({ ...data, by: "nobody" });
  const right = note([toText, withBy]);
  laws(right, [old(1, { note: "a" }), old(2, { text: "a" })]);
  given(right, old(1, { note: "a" }))
    .when({ type: "Note" })
    .thenState({ texts: ["a"] });
  const cases: [upcasts: ((data: any) => unknown)[], version: number, reason: string][] = [
    [[toText, (data) => data], 1, "`data.by` of Noted is wrong"],
    [[toText, (data) => data], 2, "`data.by` of Noted is wrong"],
    [[withBy], 1, "`data.text` of Noted is wrong"],
    [[toText, (data) => ({ ...withBy(data), more: 1 })], 1, "`data.more` is not in the schema"],
  ];
  for (const [upcasts, version, reason] of cases) {
    const wrong = note(upcasts);
    const history = old(version, version === 1 ? { note: "a" } : { text: "a" });
    const says = `history[0]: the upcasts of Noted from schema version ${version} return wrong data: ${reason}`;
    shows(() => laws(wrong, [[], history]), new RegExp(`^history 1: ${escaped(says)}`));
    assert.throws(
      () => given(wrong, history),
      (error: Error & { code?: string }) => {
        assert.equal(error.code, "decider_failed");
        return error.message.startsWith(says);
      },
    );
  }
  // An upcast that fails is the result of a decision, as in a store.
  const failing = note([() => assert.fail("boom")]);
  given(failing, old(1, {})).when({ type: "Note" }).thenFails("decider_failed");
  given(right, old(4, {})).when({ type: "Note" }).thenFails("event_too_new");
});

test("a snapshot that is not the whole state fails", async () => {
  // The state has a field that JSON leaves out, and `evolve` depends on it.
  const hiding = await list({
    initialState: () => ({ list: [], secret: undefined }),
    evolve: (state: object) => ("secret" in state ? { ...state, list: [1] } : { list: [2] }),
  });
  const headline = /history 0, version 0: the state of a fold after a snapshot .* `list\[0\]`/;
  shows(() => hiding.laws(hiding.list, [[added, added]]), headline, "- 1,", "+ 2,");
});

test("the test of something else is refused", async () => {
  const { account: own, given, laws } = await account();
  for (const call of [() => given({} as never), () => laws({} as never, [])]) {
    assert.throws(call, { code: "invalid_aggregate" });
  }
  assert.throws(() => given(own, [{ type: "Opened", data: {} } as never]), {
    code: "invalid_event",
  });
  for (const histories of [[opened], [[], opened], opened]) {
    assert.throws(() => laws(own, histories as never), {
      code: "invalid_parameter",
      message: "`histories` must be a list of histories, each of them a list of events",
    });
  }
  assert.throws(() => given(own).when(withdraw(1), { at: 5 } as never), {
    code: "invalid_parameter",
  });
  const awaited = Promise.resolve(given(own).when(withdraw(1)) as unknown);
  await assert.rejects(awaited, /is no promise/);
});
