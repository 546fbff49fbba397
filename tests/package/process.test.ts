// Timers and processes: the class through which the engine calls their code.

import assert from "node:assert/strict";
import { test } from "node:test";
import { z } from "zod";

import type { SillokErrorCode } from "sillok";
import {
  added,
  begun,
  context,
  definesOf,
  fails,
  feedEvent,
  type Held,
  type State,
} from "./processes.ts";
import { useScratch } from "./scratch.ts";

const scratch = useScratch();
const defines = async () => definesOf(await scratch.sillok());

const command = JSON.stringify({ type: "Add", data: 1, metadata: {} });
const decide = (behaviour: Held) => behaviour.decide(command, context(0));

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
    [{ ...set("a", 1, right), ...cancel("b") }, "cancel"],
    [{ ...set("a", 1, right), why: "no reason" }, "why"],
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
  const answered = { debit: () => [], other: () => [] };
  assert.deepEqual(JSON.parse(decide(begun(process({ decide: () => both, answered })))), {
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
    // Nobody would get the answer.
    [to("credit", account, "1", right), "sent[0].name"],
    [to("toString", account, "1", right), "sent[0].name"],
    [[both[0], to("Debit", account, "1", right)], "sent[1].name"],
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
    const sending = begun(process({ decide: () => decision, answered }));
    fails(() => decide(sending), "decider_failed", field);
  }
  const unknown = begun(
    process({ decide: () => [added(1), both[0]], answered: { other: () => [] } }),
  );
  fails(
    () => decide(unknown),
    "decider_failed",
    "sent[0].name",
    /`sent\[0\]\.name` is debit, but the functions in `answered` of transfer are: other/,
  );
  unknown.advance();
  assert.equal(unknown.state(), '{"list":[]}');
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
  const own = {
    stream: "transfer-7",
    now: 5,
    commandId: "c1",
    metadata: { correlationId: "c" },
    timer: undefined,
  };
  assert.deepEqual(seen, [
    [JSON.parse(feedEvent()), { list: [] }, { ...own, version: 0 }],
    [accepted, { list: ["placed", "paid"] }, { ...own, version: 2 }],
  ]);
  for (const [input] of seen as object[][]) assert.ok(Object.isFrozen(input));
  // Not followed: nothing happens.
  assert.equal(behaviour.on(feedEvent({ type: "toString" }), context(2)), "[]");
  const faults: [() => unknown, SillokErrorCode, RegExp][] = [
    // The code had a function for the name when the command was sent. The answer must not be lost.
    ...["refund", "toString"].map((name): [() => unknown, SillokErrorCode, RegExp] => [
      () => behaviour.answered(JSON.stringify({ name, accepted: true }), context(2)),
      "decider_failed",
      new RegExp(`the process transfer has no function in \`answered\` for the name "${name}"`),
    ]),
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
