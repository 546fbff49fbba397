// Timers and processes: their definitions, and the class through which the engine calls their code.

import assert from "node:assert/strict";
import { test } from "node:test";
import { z } from "zod";

import type { Aggregate, AnyProcess, SillokErrorCode } from "sillok";
import { Behaviour, described, follow, registryOf } from "../support/process-modules.ts";
import { useScratch } from "./scratch.ts";

const scratch = useScratch();

type Definition = Record<string, unknown>;
type Held = InstanceType<typeof Behaviour>;
interface State {
  readonly list: unknown[];
}

const RULES = {
  initialState: () => ({ list: [] }),
  decide: () => [],
  evolve: (state: State, { data }: { data: unknown }) => ({ list: [...state.list, data] }),
};
const added = (data: unknown) => ({ type: "Added", data });

/** Defines without the checks of the compiler. */
async function defines() {
  const { aggregate, process } = await scratch.sillok();
  return {
    aggregate: (definition: Definition, name = "account") =>
      (aggregate as unknown as (name: string, definition: object) => Aggregate)(name, {
        ...RULES,
        ...definition,
      }),
    process: (definition: Definition, name = "transfer") =>
      (process as unknown as (name: string, definition: object) => AnyProcess)(name, {
        ...RULES,
        ...definition,
      }),
  };
}

/** The code of an aggregate or a process over a stream without events. */
function begun(aggregate: Aggregate): Held {
  const behaviour = new Behaviour(aggregate as never, `${aggregate.name}-7`);
  behaviour.begin();
  return behaviour;
}

const context = (version: number, more: object = {}) =>
  JSON.stringify({ now: 5, version, commandId: "c1", metadata: { correlationId: "c" }, ...more });
const command = JSON.stringify({ type: "Add", data: 1, metadata: {} });
const decide = (behaviour: Held) => behaviour.decide(command, context(0));
const feedEvent = (more: object = {}) =>
  JSON.stringify({
    stream: "order-1",
    version: 3,
    id: "e",
    type: "Placed",
    time: "1970-01-01T00:00:00.000Z",
    data: { id: "7" },
    metadata: {},
    position: 9,
    ...more,
  });

function fails(call: () => unknown, code: SillokErrorCode, field?: string, message?: RegExp): void {
  assert.throws(call, (error: Error & { code?: string; field?: string }) => {
    assert.deepEqual([error.code, error.field], [code, field], error.message);
    if (message) assert.match(error.message, message);
    return true;
  });
}

test("a decision without timers and sent commands is an array of events", async () => {
  const { aggregate, process } = await defines();
  for (const define of [aggregate, process]) {
    assert.equal(decide(begun(define({}))), "[]");
    const one = begun(define({ decide: () => added(1) }));
    assert.equal(decide(one), '[{"type":"Added","data":1}]');
    assert.equal(one.isEnded(), false);
  }
});

test("timers stand beside the events, in the order of the decision", async () => {
  const { schedule, cancel } = await scratch.sillok();
  const { aggregate } = await defines();
  const decisions: [unknown, string][] = [
    [
      [
        schedule("a", 5.2, { type: "B" }),
        added(1),
        cancel("é"),
        schedule("a", 7, { type: "C", data: [1] }),
      ],
      '{"events":[{"type":"Added","data":1}],"timers":[{"key":"a","at":6,"command":{"type":"B","data":null}},{"key":"é"},{"key":"a","at":7,"command":{"type":"C","data":[1]}}]}',
    ],
    [
      schedule("a", new Date(9), { type: "B", metadata: { by: "me" } }),
      '{"events":[],"timers":[{"key":"a","at":9,"command":{"type":"B","data":null,"metadata":{"by":"me"}}}]}',
    ],
    [cancel("a"), '{"events":[],"timers":[{"key":"a"}]}'],
    [
      schedule("a", 8.64e15, { type: "B", data: new Date(0) }),
      /"at":8640000000000000,"command":\{"type":"B","data":"1970/,
    ],
    [schedule("k".repeat(200), 0, { type: "B" }), /"at":0,/],
  ] as never;
  for (const [decision, expected] of decisions as [unknown, string | RegExp][]) {
    const behaviour = begun(aggregate({ decide: () => decision }));
    const decided = decide(behaviour);
    if (typeof expected === "string") assert.equal(decided, expected);
    else assert.match(decided, expected);
  }
  const moving = begun(aggregate({ decide: () => [schedule("a", 1, { type: "B" }), added(1)] }));
  decide(moving);
  assert.equal(moving.state(), '{"list":[]}');
  moving.advance();
  assert.equal(moving.state(), '{"list":[1]}');
});

test("a wrong timer is a fault with its field", async () => {
  const { schedule, cancel, send } = await scratch.sillok();
  const { aggregate } = await defines();
  const set = (key: unknown, at: unknown, sent: unknown) =>
    schedule(key as never, at as never, sent as never);
  const right = { type: "B" };
  const wrong: [unknown, string][] = [
    [set("", 1, right), "timers[0].key"],
    [set("k".repeat(201), 1, right), "timers[0].key"],
    [set("a\nb", 1, right), "timers[0].key"],
    [set(5, 1, right), "timers[0].key"],
    [cancel(""), "timers[0].key"],
    [[cancel("a"), added(1), cancel("\ud800")], "timers[1].key"],
    ...[-1, NaN, Infinity, 8.64e15 + 2, "5", null, undefined, new Date(NaN), 5n].map(
      (at): [unknown, string] => [set("a", at, right), "timers[0].at"],
    ),
    [set("a", 1, undefined), "timers[0].command"],
    [set("a", 1, "B"), "timers[0].command"],
    [set("a", 1, {}), "timers[0].command.type"],
    [set("a", 1, { type: "B", id: 1 }), "timers[0].command.id"],
    [set("a", 1, { type: "B", data: { n: NaN } }), "timers[0].command.data.n"],
    [set("a", 1, { type: "B", metadata: [] }), "timers[0].command.metadata"],
    [set("a", 1, { type: "B", metadata: { n: 1n } }), "timers[0].command.metadata.n"],
    [{ schedule: null }, "timers[0].key"],
    [[added(1), send("a", aggregate({}), "1", right)], "sent[0]"],
  ];
  for (const [decision, field] of wrong) {
    const behaviour = begun(aggregate({ decide: () => decision }));
    fails(
      () => decide(behaviour),
      "decider_failed",
      field,
      /`decide` of the aggregate account, for the command Add,/,
    );
    behaviour.advance();
    assert.equal(behaviour.state(), '{"list":[]}');
  }
  const declared = aggregate({
    events: { Added: z.number() },
    commands: { Add: z.number(), Close: z.null() },
    evolve: { Added: (state: State) => state },
    decide: { Add: () => schedule("a", 1, { type: "toString" }), Close: () => [] },
  });
  fails(
    () => decide(begun(declared)),
    "decider_failed",
    "timers[0].command.type",
    /toString.*Add, Close/,
  );
});

test("an event in a decision with timers is checked as in any other", async () => {
  const { schedule, cancel, reject } = await scratch.sillok();
  const { aggregate } = await defines();
  const timer = schedule("a", 1, { type: "B" });
  const wrong: [unknown, SillokErrorCode, string?][] = [
    [[timer, added(1), { type: 5 }], "invalid_event", "events[1].type"],
    [[timer, {}], "invalid_event", "events[0].type"],
    [[timer, undefined], "invalid_event", "events[0]"],
    [[timer, { ...added(1), schedule: {}, more: 1 }], "invalid_event", "events[0].schedule"],
    [[timer, reject("no")], "decider_failed"],
    [[[timer]], "invalid_event", "events[0]"],
    [[timer, cancel("b"), added(NaN)], "invalid_event", "events[0].data"],
  ];
  for (const [decision, code, field] of wrong) {
    fails(() => decide(begun(aggregate({ decide: () => decision }))), code, field);
  }
});

test("a process sends commands, and a wrong one is a fault with its field", async () => {
  const { schedule, send } = await scratch.sillok();
  const { aggregate, process } = await defines();
  const account = aggregate({});
  const declared = aggregate({
    events: { Added: z.number() },
    commands: { Add: z.number() },
    evolve: { Added: (state: State) => state },
    decide: { Add: () => [] },
  });
  const both = [
    send("debit", account, "a-1", { type: "Withdraw", data: { cents: 5 }, metadata: { n: 1 } }),
    added(1),
    schedule("lapse", 9, { type: "Lapse" }),
    send("other", process({}), "2", { type: "Request" }),
  ];
  assert.deepEqual(JSON.parse(decide(begun(process({ decide: () => both })))), {
    events: [added(1)],
    timers: [{ key: "lapse", at: 9, command: { type: "Lapse", data: null } }],
    sent: [
      {
        name: "debit",
        stream: "account-a-1",
        command: { type: "Withdraw", data: { cents: 5 }, metadata: { n: 1 } },
      },
      { name: "other", stream: "transfer-2", command: { type: "Request", data: null } },
    ],
  });
  const right = { type: "Add", data: 1 };
  const to = (name: unknown, target: unknown, id: unknown, sent: unknown) =>
    (send as (...args: unknown[]) => unknown)(name, target, id, sent);
  const wrong: [unknown, string][] = [
    [to("", account, "1", right), "sent[0].name"],
    [to("n".repeat(201), account, "1", right), "sent[0].name"],
    [to("debit", {}, "1", right), "sent[0].aggregate"],
    [to("debit", "account", "1", right), "sent[0].aggregate"],
    [to("debit", account, 1, right), "sent[0].id"],
    [to("debit", account, "", right), "sent[0].id"],
    [to("debit", account, "i".repeat(200), right), "sent[0].id"],
    [to("debit", account, "a\nb", right), "sent[0].id"],
    [to("debit", account, "1", { data: 1 }), "sent[0].command.type"],
    [to("debit", declared, "1", { type: "Burn" }), "sent[0].command.type"],
    [[both[0], to("debit", account, "1", { type: "A", data: new Map() })], "sent[1].command.data"],
    [{ send: null }, "sent[0].name"],
  ];
  for (const [decision, field] of wrong) {
    fails(() => decide(begun(process({ decide: () => decision }))), "decider_failed", field);
  }
});

test("an event of another stream and an answer decide like a command", async () => {
  const { schedule, reject } = await scratch.sillok();
  const { process } = await defines();
  const seen: unknown[] = [];
  const transfer = process({
    starts: { Placed: ({ data }: { data: { id: string } }) => data.id },
    on: {
      Placed(...args: unknown[]) {
        seen.push(args);
        return added("placed");
      },
      Paid: { instance: () => "7", decide: () => [schedule("a", 1, { type: "B" }), added("paid")] },
      Sent: { instance: () => "7", decide: () => reject("no") },
      Broken: { instance: () => "7", decide: async () => [] },
    },
    answered: {
      debit(...args: unknown[]) {
        seen.push(args);
        return [];
      },
      wrong: () => reject("no"),
      silent() {},
    },
  });
  const behaviour = begun(transfer);
  assert.equal(behaviour.on(feedEvent(), context(0)), '[{"type":"Added","data":"placed"}]');
  behaviour.advance();
  const paid = feedEvent({ type: "Paid" });
  assert.deepEqual(JSON.parse(behaviour.on(paid, context(1))), {
    events: [added("paid")],
    timers: [{ key: "a", at: 1, command: { type: "B", data: null } }],
  });
  behaviour.advance();
  const accepted = { accepted: true, stream: "account-1", version: 4 };
  assert.equal(
    behaviour.answered(JSON.stringify({ name: "debit", ...accepted }), context(2)),
    "[]",
  );
  behaviour.advance();
  assert.equal(behaviour.state(), '{"list":["placed","paid"]}');
  const own = { stream: "transfer-7", now: 5, commandId: "c1", metadata: { correlationId: "c" } };
  assert.deepEqual(seen, [
    [JSON.parse(feedEvent()), { list: [] }, { ...own, version: 0 }],
    [accepted, { list: ["placed", "paid"] }, { ...own, version: 2 }],
  ]);
  for (const [input] of seen as object[][]) assert.ok(Object.isFrozen(input));
  // Not followed, and without a function: nothing happens.
  assert.equal(behaviour.on(feedEvent({ type: "toString" }), context(2)), "[]");
  assert.equal(behaviour.answered('{"name":"refund","accepted":true}', context(2)), "[]");
  const faults: [() => unknown, SillokErrorCode, RegExp][] = [
    [
      () => behaviour.on(feedEvent({ type: "Sent" }), context(2)),
      "decider_failed",
      /`on` of the process transfer, for the event Sent, has returned a rejection/,
    ],
    [
      () => behaviour.on(feedEvent({ type: "Broken" }), context(2)),
      "async_decider",
      /for the event Broken/,
    ],
    [
      () => behaviour.answered('{"name":"wrong"}', context(2)),
      "decider_failed",
      /`answered` of the process transfer, for the answer to wrong, has returned a rejection/,
    ],
    [
      () => behaviour.answered('{"name":"silent"}', context(2)),
      "decider_failed",
      /returned nothing/,
    ],
  ];
  for (const [call, code, message] of faults) fails(call, code, undefined, message);
  assert.equal(behaviour.state(), '{"list":["placed","paid"]}');
});

test("an event before the start of an instance does nothing", async () => {
  const { process } = await defines();
  const behaviour = begun(
    process({
      starts: { Placed: () => "7" },
      on: { Placed: () => added(1), Paid: { instance: () => "7", decide: () => added(2) } },
    }),
  );
  assert.equal(behaviour.on(feedEvent({ type: "Paid" }), context(0)), "[]");
  assert.notEqual(behaviour.on(feedEvent(), context(0)), "[]");
  assert.notEqual(behaviour.on(feedEvent({ type: "Paid" }), context(1)), "[]");
  const { aggregate } = await defines();
  fails(() => begun(aggregate({})).on(feedEvent(), context(0)), "internal");
});

test("an instance ends by its state", async () => {
  const { process } = await defines();
  const behaviour = begun(
    process({ decide: () => added(1), ended: ({ list }: State) => list.length > 1 }),
  );
  assert.equal(decide(behaviour), '[{"type":"Added","data":1}]');
  behaviour.advance();
  assert.equal(decide(behaviour), '{"events":[{"type":"Added","data":1}],"ended":true}');
  assert.equal(behaviour.isEnded(), false);
  behaviour.advance();
  assert.equal(behaviour.isEnded(), true);
  const broken: [unknown, RegExp][] = [
    [() => assert.fail("boom"), /`ended` of the process transfer has thrown/],
    [() => 1, /must return true or false/],
  ];
  for (const [ended, message] of broken) {
    const wrong = begun(process({ decide: () => added(1), ended }));
    fails(() => wrong.isEnded(), "decider_failed", undefined, message);
    fails(() => decide(wrong), "decider_failed", undefined, message);
  }
});

test("events of the sources come in their newest shape, and no others", async () => {
  const { aggregate, process } = await defines();
  const events = { Placed: { upcasts: [({ id }: { id: string }) => ({ id: `new-${id}` })] } };
  const seen: unknown[] = [];
  const sources = [aggregate({ events }, "order"), aggregate({}, "cart")];
  const transfer = process({
    sources,
    starts: { Placed: ({ data }: { data: { id: string } }) => data.id },
    on: { Placed: ({ data }: { data: unknown }) => (seen.push(data), []) },
  });
  assert.equal(transfer.consumer?.category, undefined);
  assert.equal(process({ ...transfer_(sources.slice(0, 1)) }).consumer?.category, "order");
  const delivered: unknown[] = [];
  const deliver = (...args: unknown[]) => void delivered.push(args);
  const old = feedEvent();
  const recent = feedEvent({ schemaVersion: 2, data: { id: "8" } });
  const others = [
    feedEvent({ stream: "payment-1" }),
    feedEvent({ stream: "cart-1", type: "Paid" }),
  ];
  for (const event of [old, recent, ...others, feedEvent({ stream: "cart-1" })]) {
    await follow(transfer.consumer as never, event, { deliver });
    begun(transfer).on(event, context(0));
  }
  // What is delivered is the stored text.
  assert.deepEqual(delivered, [
    ["transfer-new-7", old],
    ["transfer-8", recent],
    ["transfer-7", feedEvent({ stream: "cart-1" })],
  ]);
  assert.deepEqual(seen, [{ id: "new-7" }, { id: "8" }, { id: "7" }]);
  const tooNew = feedEvent({ schemaVersion: 3 });
  await assert.rejects(follow(transfer.consumer as never, tooNew, { deliver }), {
    code: "event_too_new",
  });
  fails(() => begun(transfer).on(tooNew, context(0)), "event_too_new");
});

/** The fields of a process that follows events of these sources. */
function transfer_(sources: unknown) {
  return { sources, starts: { Placed: () => "1" }, on: { Placed: () => [] } };
}

test("an event is delivered to its instance, or to none", async () => {
  const { process } = await defines();
  const using = (instance: unknown) =>
    process({ on: { Placed: { instance, decide: () => [] } }, category: "order", attempts: 3 });
  const { consumer } = using(() => "a-1");
  const { kind, name, category, types, attempts, onFailure } = consumer as NonNullable<
    typeof consumer
  >;
  assert.deepEqual(
    [kind, name, category, types, attempts, onFailure],
    ["process", "transfer", "order", ["Placed"], 3, "skip"],
  );
  const reached = async (instance: unknown) => {
    const streams: string[] = [];
    const deliver = (stream: string) => void streams.push(stream);
    await follow(using(instance).consumer as never, feedEvent(), { deliver });
    return streams;
  };
  assert.deepEqual(await reached(() => "a-1"), ["transfer-a-1"]);
  assert.deepEqual(await reached(() => undefined), []);
  for (const id of ["", 5, null, {}, "a\nb", "i".repeat(200), Promise.resolve("1")]) {
    await assert.rejects(
      reached(() => id),
      { code: "decider_failed" },
    );
  }
  const boom = new Error("boom");
  await assert.rejects(
    reached(() => {
      throw boom;
    }),
    boom,
  );
  const deliver = async () => Promise.reject(boom);
  await assert.rejects(follow(consumer as never, feedEvent(), { deliver }), boom);
  assert.equal(process({}).consumer, undefined);
});

test("a wrong definition of a process names its field", async () => {
  const { process, aggregate } = await defines();
  const f = () => [];
  const wrong: [Definition, string, SillokErrorCode?][] = [
    [{ timers: [] }, "timers"],
    [{ decide: 5 }, "decide"],
    [{ ended: true }, "ended"],
    [{ starts: { Placed: () => "1" } }, "on.Placed"],
    [{ starts: { Placed: 5 }, on: { Placed: f } }, "starts.Placed"],
    [{ starts: [], on: { Placed: f } }, "starts"],
    [{ starts: { "": f }, on: { "": f } }, "starts"],
    [{ starts: { Placed: f }, on: { Placed: { instance: f, decide: f } } }, "on.Placed"],
    [{ on: { Placed: f } }, "on.Placed"],
    [{ on: { Placed: { decide: f } } }, "on.Placed.instance"],
    [{ on: { Placed: { instance: f } } }, "on.Placed.decide"],
    [{ on: { Placed: { instance: f, decide: f, more: 1 } } }, "on.Placed.more"],
    [{ on: f }, "on"],
    [{ answered: { debit: 5 } }, "answered.debit"],
    [{ answered: f }, "answered"],
    [{ sources: [] }, "sources"],
    [{ sources: aggregate({}) }, "sources"],
    [{ sources: [aggregate({}), aggregate({}).events] }, "sources[1]"],
    [{ ...transfer_([aggregate({})]), category: "account" }, "category"],
    [{ category: "order" }, "category"],
    [{ attempts: 3 }, "attempts"],
    [{ ...transfer_(undefined), attempts: 0 }, "attempts", "invalid_consumer"],
    [{ ...transfer_(undefined), category: "a-b" }, "category", "invalid_consumer"],
    [{ ...transfer_(undefined), onFailure: "retry" }, "onFailure", "invalid_consumer"],
  ];
  for (const [definition, field, code = "invalid_aggregate"] of wrong) {
    fails(() => process(definition), code, field);
  }
  fails(() => process({}, "a-b"), "invalid_aggregate", "name");
  for (const field of ["sources", "starts", "on", "answered", "ended", "category", "attempts"]) {
    fails(() => aggregate({ [field]: undefined }), "invalid_aggregate", field);
  }
  const made = process({ starts: undefined, on: { Placed: undefined }, answered: {} });
  assert.ok(Object.isFrozen(made) && Object.isFrozen(made.on) && Object.isFrozen(made.answered));
});

test("the registry of a Worker has processes as aggregates and as consumers", async () => {
  const { aggregate, process } = await defines();
  const { reactor } = await scratch.sillok();
  const none = { aggregates: [], consumers: [] };
  const [account, quiet, transfer] = [
    aggregate({}),
    process({}, "quiet"),
    process(transfer_(undefined)),
  ];
  const made = registryOf([account] as never, [quiet, transfer] as never, [], none);
  assert.deepEqual([...made.aggregates.keys()], ["account", "quiet", "transfer"]);
  assert.deepEqual([...made.consumers], [["transfer", transfer.consumer]]);
  assert.deepEqual(
    described(made.aggregates.values()).map(({ name, kind }) => [name, kind]),
    [
      ["account", undefined],
      ["quiet", "process"],
      ["transfer", "process"],
    ],
  );
  const notes = reactor("transfer", { on() {} });
  const wrong: [unknown[], unknown[], unknown[], RegExp][] = [
    [[transfer], [], [], /aggregates\[0\] is a process: register it in `processes`/],
    [[], [transfer, account], [], /processes\[1\] must be a process/],
    [[], [{}], [], /processes\[0\] must be a process/],
    [[aggregate({}, "transfer")], [transfer], [], /two aggregates have the name "transfer"/],
    [[], [transfer], [notes], /two consumers have the name "transfer"/],
  ];
  for (const [aggregates, processes, consumers, message] of wrong) {
    const register = () =>
      registryOf(aggregates as never, processes as never, consumers as never, none);
    assert.throws(register, { name: "TypeError", message });
  }
});

test("a store in this program executes the commands of a process", async () => {
  const { EventStore } = await scratch.sillok();
  const { process } = await defines();
  const store = new EventStore();
  const transfer = process({ decide: () => added(1) });
  const { version } = await store.execute("transfer-1", { type: "Add" }, transfer);
  assert.equal(version, 1);
  assert.deepEqual(await store.load("transfer-1", transfer), { state: { list: [1] }, version: 1 });
  await assert.rejects(store.execute("account-1", { type: "Add" }, transfer), {
    code: "invalid_parameter",
    field: "aggregate",
  });
});
