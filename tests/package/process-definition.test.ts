// The definitions of processes, the events that they follow, and their places in a Worker and in a store.

import assert from "node:assert/strict";
import { test } from "node:test";

import type { SillokErrorCode } from "sillok";
import { described, follow, registryOf } from "../support/process-modules.ts";
import { added, begun, context, definesOf, fails, feedEvent } from "./processes.ts";
import { useScratch } from "./scratch.ts";

const scratch = useScratch();
const defines = async () => definesOf(await scratch.sillok());

type Definition = Record<string, unknown>;

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
    ["transfer-new-7", old, true],
    ["transfer-8", recent, true],
    ["transfer-7", feedEvent({ stream: "cart-1" }), true],
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
    ["process", "transfer", "order", ["Placed"], 3, "hold-stream"],
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
      ["account", "aggregate"],
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
