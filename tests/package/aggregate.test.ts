// The class through which the engine calls an aggregate's own code.

import assert from "node:assert/strict";
import { test } from "node:test";

import type { Aggregate, SillokErrorCode, StandardSchema } from "sillok";
import { Behaviour, prepared, upcast } from "../support/behaviour-class.ts";
import { depositsOnly, LIBRARIES, zodAccount } from "./aggregates.ts";
import { useScratch } from "./scratch.ts";

const scratch = useScratch();

type Definition = Record<string, unknown>;
type Held = InstanceType<typeof Behaviour>;

/** A behaviour by functions, at the beginning. `decide` gives one event, unless the definition has another. */
async function begun(definition: Definition): Promise<Held> {
  const { aggregate } = await scratch.sillok();
  const define = aggregate as unknown as (name: string, definition: object) => Aggregate;
  const rules = {
    initialState: () => ({ list: [] as unknown[] }),
    decide: (command: { data: unknown }) => ({ type: "Added", data: command.data }),
    evolve: (state: { list: unknown[] }, { data }: { data: unknown }) => ({
      list: [...state.list, data],
    }),
    ...definition,
  };
  const behaviour = new Behaviour(define("list", rules) as never, "list-7");
  behaviour.begin();
  return behaviour;
}

async function account(): Promise<Held> {
  const behaviour = new Behaviour(zodAccount(await scratch.sillok()) as never, "account-42");
  behaviour.begin();
  return behaviour;
}

function decide(behaviour: Held, type: string, data: unknown, context: object = {}): unknown {
  const command = JSON.stringify({ type, data, metadata: { from: "test" } });
  return JSON.parse(
    behaviour.decide(command, JSON.stringify({ now: 5, version: 0, metadata: {}, ...context })),
  );
}

function fails(
  call: () => unknown,
  code: SillokErrorCode,
  parts: { field?: string; message?: RegExp; cause?: unknown } = {},
): void {
  assert.throws(call, (error: Error & { field?: string }) => {
    assert.equal((error as { code?: unknown }).code, code, error.message);
    assert.equal(error.field, parts.field);
    if (parts.message) assert.match(error.message, parts.message);
    if ("cause" in parts) assert.deepEqual(error.cause, parts.cause);
    return true;
  });
}

test("commands give events, nothing or a rejection, and move the state on", async () => {
  const behaviour = await account();
  assert.deepEqual(decide(behaviour, "Withdraw", { cents: 1 }), { code: "not_open" });
  assert.deepEqual(decide(behaviour, "Open", {}), [{ type: "Opened", data: { owner: "nobody" } }]);
  assert.equal(behaviour.state(), '{"owner":null,"cents":0}');
  behaviour.advance();
  assert.equal(behaviour.state(), '{"owner":"nobody","cents":0}');
  assert.deepEqual(decide(behaviour, "Open", { owner: "Ada" }), []);
  assert.deepEqual(decide(behaviour, "Deposit", { cents: 5 }), [
    { type: "Deposited", data: { cents: 5 }, schemaVersion: 3 },
  ]);
  behaviour.advance();
  assert.deepEqual(decide(behaviour, "Withdraw", { cents: 7 }), {
    code: "insufficient_funds",
    data: { missing: 2 },
  });
  behaviour.advance();
  assert.deepEqual(decide(behaviour, "Close", null), [
    { type: "Withdrawn", data: { cents: 5 } },
    { type: "Closed", data: null },
  ]);
  behaviour.advance();
  assert.equal(behaviour.state(), '{"owner":null,"cents":0}');
  assert.deepEqual([behaviour.code, behaviour.snapshotEvents], ["1;Deposited=3", 500]);
  assert.deepEqual([behaviour.snapshotBytes, behaviour.rememberMillis], [0, 0]);
});

test("events of all schema versions are folded, and a snapshot goes on from there", async () => {
  const behaviour = await account();
  const events = [
    [1, "Opened", 1, { owner: "Ada" }],
    [2, "Deposited", 1, { text: "1" }],
    [3, "Deposited", 2, { amount: 2 }],
    [4, "Deposited", 3, { cents: 3 }],
  ];
  behaviour.fold(JSON.stringify(events));
  assert.equal(behaviour.state(), '{"owner":"Ada","cents":303}');
  assert.equal(behaviour.restore('{"owner":"Ada","cents":100}'), true);
  behaviour.fold(JSON.stringify(events.slice(2)));
  assert.equal(behaviour.state(), '{"owner":"Ada","cents":303}');
  const tooNew = JSON.stringify([[5, "Deposited", 4, {}]]);
  fails(() => behaviour.fold(tooNew), "event_too_new", { message: /version 5 of account-42/ });
  assert.equal(behaviour.state(), '{"owner":"Ada","cents":303}');
  assert.equal(behaviour.restore("{"), false);
  fails(() => behaviour.state(), "internal");
});

test("an unknown stored event is an error, or is skipped", async () => {
  const unknown = JSON.stringify([[3, "Frozen", 9, {}]]);
  const failing = await account();
  fails(() => failing.fold(unknown), "unknown_event", {
    message: /version 3 of account-42.*Frozen/,
  });
  const skipping = await begun({ events: { Added: {} }, unknownEvents: "skip" });
  skipping.fold(unknown);
  assert.equal(skipping.state(), '{"list":[]}');
  const undeclared = await begun({});
  undeclared.fold(JSON.stringify([[1, "Frozen", 1, 5]]));
  fails(() => undeclared.fold(unknown), "event_too_new");
});

test("a wrong command is refused with its field", async () => {
  const behaviour = await account();
  const wrong: [string, unknown, SillokErrorCode, string][] = [
    ["Burn", {}, "unknown_command", "type"],
    ["toString", {}, "unknown_command", "type"],
    ["Deposit", { cents: "5" }, "invalid_command", "data.cents"],
    ["Deposit", null, "invalid_command", "data"],
    ["Deposit", { cents: -5 }, "invalid_command", "data.cents"],
  ];
  for (const [type, data, code, field] of wrong) {
    fails(() => decide(behaviour, type, data), code, { field });
  }
  for (const text of ["{", "5", "[]", "null"]) {
    fails(() => behaviour.decide(text, "{}"), "invalid_command", { field: "command" });
  }
  fails(() => behaviour.decide('{"data":1}', "{}"), "invalid_command", { field: "type" });
});

test("a wrong decision is refused, and nothing moves on", async () => {
  const { reject } = await scratch.sillok();
  class Empty {}
  const loop: unknown[] = [];
  loop.push(loop);
  const wrong: [unknown, SillokErrorCode, string?][] = [
    [undefined, "decider_failed"],
    [null, "decider_failed"],
    [[reject("no")], "decider_failed"],
    [reject("no", NaN), "decider_failed"],
    [Promise.reject(new Error("x")), "async_decider"],
    [5, "invalid_event", "event"],
    [[undefined], "invalid_event", "events[0]"],
    [{}, "invalid_event", "type"],
    [[{ type: "Added" }, { type: 5 }], "invalid_event", "events[1].type"],
    [{ type: "Added", amount: 5 }, "invalid_event", "amount"],
    [{ type: "Added", version: 5 }, "invalid_event", "version"],
    [{ type: "Added", data: NaN }, "invalid_event", "data"],
    [{ type: "Added", data: { n: 1n } }, "invalid_event", "data.n"],
    [{ type: "Added", data: new Map() }, "invalid_event", "data"],
    [{ type: "Added", data: [undefined] }, "invalid_event", "data[0]"],
    [{ type: "Added", data: new Empty() }, "invalid_event", "data"],
    [{ type: "Added", data: loop }, "invalid_event", "data[0]"],
    [{ type: "Added", metadata: { n: Infinity } }, "invalid_event", "metadata.n"],
  ];
  for (const [decision, code, field] of wrong) {
    const behaviour = await begun({ decide: () => decision });
    fails(() => decide(behaviour, "Add", 1), code, field === undefined ? {} : { field });
    behaviour.advance();
    assert.equal(behaviour.state(), '{"list":[]}');
  }
});

test("the state after a decision equals the state after a replay, for every value in an event", async () => {
  class Money {
    cents = 5;
  }
  const values = [new Date(0), -0, { a: undefined, b: 1 }, new Money(), [[], {}], "\u2028"];
  for (const data of values) {
    const behaviour = await begun({ decide: () => ({ type: "Added", data, id: "1" }) });
    const [event] = decide(behaviour, "Add", 1) as [{ data: unknown; id: string }];
    assert.equal(event.id, "1");
    behaviour.advance();
    const replayed = await begun({});
    // JSON.stringify would write -0 as 0.
    replayed.fold(`[[1,"Added",1,${Object.is(data, -0) ? "-0" : JSON.stringify(event.data)}]]`);
    assert.equal(behaviour.state(), replayed.state());
  }
});

test("an event that is not declared, or has the wrong shape, is refused", async () => {
  const { aggregate } = await scratch.sillok();
  for (const [library, schema] of Object.entries(LIBRARIES)) {
    const behaviour = new Behaviour(depositsOnly({ aggregate }, schema) as never, "account-1");
    behaviour.begin();
    assert.deepEqual(decide(behaviour, "Deposit", { cents: 5 }), [
      { type: "Deposited", data: { cents: 5 } },
    ]);
    const note = { cents: 5, note: "x" };
    behaviour.check(JSON.stringify([{ type: "Deposited", data: note }]));
    fails(() => decide(behaviour, "Deposit", { cents: 0.5 }), "invalid_command", {
      field: "data.cents",
    });
    const wrong = [
      { type: "Deposited", data: note },
      { type: "Deposited", data: { cents: "5" } },
    ];
    fails(() => behaviour.check(JSON.stringify(wrong)), "invalid_event", {
      field: "events[1].data.cents",
    });
    fails(() => behaviour.check(JSON.stringify(wrong[1])), "invalid_event", {
      field: "data.cents",
    });
    const missing = JSON.stringify([{ type: "Deposited" }]);
    fails(() => behaviour.check(missing), "invalid_event", { field: "events[0].data" });
    const undeclared = JSON.stringify([{ type: "Opened", data: {} }]);
    fails(() => behaviour.check(undeclared), "invalid_event", { field: "events[0].type" });
    assert.ok(library);
  }
});

test("a schema of an event must not change it, must not throw and must be synchronous", async () => {
  const using = (validate: StandardSchema["~standard"]["validate"]) => {
    const schema = { "~standard": { version: 1, vendor: "tests", validate } };
    return begun({ events: { Added: schema } });
  };
  const changing = await using((value) => ({ value: { ...(value as object), more: 1 } }));
  fails(() => decide(changing, "Add", { n: 1 }), "invalid_event", {
    field: "data.more",
    message: /^`data\.more` of Added is changed by its schema, which must only check$/,
  });
  const dropping = await using((value) => ({ value: { ...(value as object), list: [{ n: 1 }] } }));
  fails(() => decide(dropping, "Add", { list: [{ n: 1, days: 2 }] }), "invalid_event", {
    field: "data.list[0].days",
    message: /^`data\.list\[0\]\.days` is not in the schema of Added$/,
  });
  const shortening = await using(() => ({ value: [1] }));
  fails(() => decide(shortening, "Add", [1, 2]), "invalid_event", {
    field: "data[1]",
    message: /^`data\[1\]` of Added is changed by its schema/,
  });
  const boom = new Error("boom");
  const throwing = await using(() => {
    throw boom;
  });
  fails(() => decide(throwing, "Add", 1), "decider_failed", {
    message: /schema of Added/,
    cause: boom,
  });
  const waiting = await using(async () => Promise.reject(boom));
  fails(() => decide(waiting, "Add", 1), "async_schema");
  fails(() => waiting.check('[{"type":"Added"}]'), "async_schema");
});

test("code that throws or returns a promise fails, and the next decision is unharmed", async () => {
  const boom = new Error("secret");
  let isBroken = true;
  const thrower = () => {
    if (isBroken) throw boom;
    return { type: "Added", data: 1 };
  };
  const behaviour = await begun({ decide: thrower });
  assert.throws(
    () => decide(behaviour, "Add", 1),
    (error: Error) => !error.message.includes("secret") && error.cause === boom,
  );
  isBroken = false;
  assert.deepEqual(decide(behaviour, "Add", 1), [{ type: "Added", data: 1 }]);
  const evolving = await begun({
    evolve: () => {
      throw boom;
    },
  });
  fails(() => decide(evolving, "Add", 1), "decider_failed", { message: /evolve/, cause: boom });
  fails(() => evolving.fold('[[4,"Added",1,5]]'), "decider_failed", {
    message: /version 4 of list-7/,
  });
  const promising = await begun({ evolve: async () => Promise.reject(boom) });
  fails(() => decide(promising, "Add", 1), "async_decider");
  const silent = await begun({ evolve() {} });
  fails(() => decide(silent, "Add", 1), "decider_failed", { message: /returned nothing/ });
  await assert.rejects(begun({ initialState: async () => 0 }), { code: "async_decider" });
  await assert.rejects(begun({ initialState: () => undefined }), { code: "decider_failed" });
});

test("nothing that an aggregate's code gets can be changed", async () => {
  const behaviour = await begun({
    initialState: () => ({ list: [{ deep: [1] }] }),
    decide(
      command: { data: { n: number } },
      state: { list: { deep: number[] }[] },
      context: object,
    ) {
      assert.throws(() => state.list[0]?.deep.push(2), TypeError);
      assert.throws(() => (command.data.n = 2), TypeError);
      assert.throws(() => Object.assign(context, { now: 7 }), TypeError);
      assert.deepEqual(context, {
        stream: "list-7",
        version: 3,
        now: 5,
        commandId: "c1",
        metadata: { from: "test", correlationId: "c" },
        timer: undefined,
      });
      return { type: "Added", data: { more: [] } };
    },
  });
  const context = { version: 3, commandId: "c1", metadata: { correlationId: "c" } };
  decide(behaviour, "Add", { n: 1 }, context);
  behaviour.advance();
  assert.equal(behaviour.state(), '{"list":[{"deep":[1]},{"more":[]}]}');
  const mutating = await begun({
    decide: (_: unknown, state: { list: number[] }) => state.list.push(1),
  });
  fails(() => decide(mutating, "Add", 1), "decider_failed");
  assert.equal(mutating.state(), '{"list":[]}');
});

test("a state that JSON changes is refused, naming the place", async () => {
  class Money {
    cents = 5;
  }
  const states: [unknown, string][] = [
    [{ at: new Date(0) }, "state.at"],
    [{ byId: new Map() }, "state.byId"],
    [{ list: [1, undefined] }, "state.list[1]"],
    [[{ money: new Money() }], "state[0].money"],
    [{ n: NaN }, "state.n"],
    [{ n: 1n }, "state.n"],
    [{ json: { toJSON: () => 1 } }, "state.json"],
    [{ call() {} }, "state.call"],
    [Object.create(null), "state"],
  ];
  for (const [state, place] of states) {
    const message = new RegExp(`${place.replaceAll(/[[\].]/g, "\\$&")} (is|has)`);
    const written = async () => (await begun({ initialState: () => state })).state();
    await assert.rejects(written, { code: "decider_failed", message });
  }
  const fine = await begun({ initialState: () => ({ a: -0, b: undefined, c: [null, "é"] }) });
  assert.equal(fine.state(), '{"a":-0,"c":[null,"é"]}');
});

test("an upcast gives the same value on every path", async () => {
  const { aggregate } = await scratch.sillok();
  const define = (upcasts: unknown[]) => {
    const rules = { initialState: () => 0, decide: () => [], evolve: () => 0 };
    const events = { Old: { upcasts } };
    return (aggregate as unknown as (name: string, definition: object) => Aggregate)("a", {
      ...rules,
      events,
    }).events;
  };
  const one = define([(data: number) => ({ n: data, none: undefined, at: new Date(0) })]);
  const old = { type: "Old", data: 5 };
  assert.deepEqual(upcast(one as never, old), { n: 5, at: "1970-01-01T00:00:00.000Z" });
  assert.equal(upcast(one as never, { ...old, schemaVersion: 2 }), 5);
  assert.equal(upcast(one as never, { type: "Other", schemaVersion: 9, data: 5 }), 5);
  fails(() => upcast(one as never, { ...old, schemaVersion: 3 }), "event_too_new");
  fails(() => upcast(define([() => NaN]) as never, old), "decider_failed");
  fails(() => upcast(define([async () => 1]) as never, old), "async_decider");
});

test("prepare completes a command before its decision", async () => {
  const { aggregate } = await scratch.sillok();
  const define = (prepare: unknown) =>
    (aggregate as unknown as (name: string, definition: object) => Aggregate)("a", {
      initialState: () => 0,
      decide: () => [],
      evolve: () => 0,
      prepare,
    });
  const command = { type: "Pay", data: 5 };
  const context = { stream: "a-1", commandId: undefined };
  const rated = define(async (given: object, { stream }: { stream: string }) => ({
    ...given,
    data: stream,
  }));
  assert.deepEqual(await prepared(rated as never, command, context), { type: "Pay", data: "a-1" });
  assert.equal(await prepared(define(undefined) as never, command, context), command);
  for (const wrong of [
    () => Promise.reject(new Error("x")),
    () => undefined,
    () => ({ type: "B" }),
  ]) {
    await assert.rejects(prepared(define(wrong) as never, command, context), {
      code: "decider_failed",
    });
  }
});
