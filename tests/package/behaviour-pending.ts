import type { EventStore } from "sillok";

import type { Behaviours, Sillok } from "./behaviour.ts";
import { codeOf } from "./behaviour-consume.ts";
import { all, same } from "./check.ts";
import { deposit, request, transfersOf } from "./transfers.ts";

type Rung = { type: "Rung"; data: { key: string; late: number } };
type Command =
  | { type: "Set"; data: { key: string; at: number } }
  | { type: "Cancel"; data: { key: string } }
  | { type: "Ring"; data: { key: string; at: number } };

/** An aggregate whose timers note how late they were. `rings` decides in place of it. */
function clockOf(
  { aggregate, schedule, cancel }: Sillok,
  rings: (key: string) => Rung[] | undefined = () => undefined,
) {
  return aggregate<Rung, Command, number>("clock", {
    initialState: () => 0,
    evolve: (count) => count + 1,
    decide({ type, data }, _, { now }) {
      if (type === "Cancel") return cancel(data.key);
      if (type === "Set") return schedule(data.key, data.at, { type: "Ring", data: { ...data } });
      return rings(data.key) ?? { type: "Rung", data: { key: data.key, late: now - data.at } };
    },
  });
}

const set = (key: string, at: number) => ({ type: "Set", data: { key, at } }) as const;

async function rung(store: EventStore, stream = "clock-1"): Promise<[string, boolean][]> {
  const events = await all(store.read<Rung>(stream));
  return events.map(({ data: { key, late } }) => [key, late >= 0]);
}

/** Runs the gateway until the stream has this number of events. */
async function runUntil(
  gateway: InstanceType<Sillok["EventGateway"]>,
  store: EventStore,
  count: number,
) {
  const stop = new AbortController();
  const running = gateway.run({ signal: stop.signal });
  for await (const { version } of store.subscribe("clock-1")) if (version >= count) break;
  stop.abort();
  await running;
}

/** Timers, sent commands and processes over a store in the same program. */
export const pending: Behaviours = {
  async "a timer runs when it is due, once, also if its time is past"(sillok) {
    const store = new sillok.EventStore();
    const clock = clockOf(sillok);
    const gateway = new sillok.EventGateway(store).register(clock);
    const now = Date.now();
    await store.execute("clock-1", set("past", 5), clock);
    await store.execute("clock-1", set("soon", now + 120), clock);
    await store.execute("clock-1", set("late", now + 3_600_000), clock);
    same(await rung(store), [], "nothing runs by itself");
    await runUntil(gateway, store, 2);
    same(await rung(store), [
      ["past", true],
      ["soon", true],
    ]);
    same(await gateway.catchUp(), now + 3_600_000);
    same((await rung(store)).length, 2);
  },

  async "a timer that is set again is replaced, and one that is cancelled does not run"(sillok) {
    const store = new sillok.EventStore();
    const clock = clockOf(sillok);
    const gateway = new sillok.EventGateway(store).register(clock);
    for (const key of ["a", "b"]) await store.execute("clock-1", set(key, 1), clock);
    await store.execute("clock-1", set("a", Date.now() + 3_600_000), clock);
    await store.execute("clock-1", { type: "Cancel", data: { key: "b" } }, clock);
    await gateway.catchUp();
    same(await rung(store), []);
    await store.execute("clock-1", set("a", 2), clock);
    same(await gateway.catchUp(), undefined);
    same(await rung(store), [["a", true]]);
  },

  async "a timer of months does not overflow the platform's clock"(sillok) {
    const store = new sillok.EventStore();
    const clock = clockOf(sillok);
    const gateway = new sillok.EventGateway(store).register(clock);
    // The delay of a timer of the platform has 31 bits, which are 24.8 days. A longer one would run at once.
    await store.execute("clock-1", set("month", Date.now() + 30 * 86_400_000), clock);
    const stop = new AbortController();
    const running = gateway.run({ signal: stop.signal });
    await new Promise((resolve) => setTimeout(resolve, 50));
    stop.abort();
    await running;
    same(await rung(store), []);
  },

  async "a timer that fails is repeated, and one that the rules reject is done"(sillok) {
    const store = new sillok.EventStore();
    let fails = 1;
    const clock = clockOf(sillok, (key) => {
      if (key === "rejected") return sillok.reject("no") as never;
      if (key === "fails" && fails-- > 0) throw new Error("not now");
      return undefined;
    });
    const gateway = new sillok.EventGateway(store).register(clock);
    for (const key of ["fails", "rejected", "well"]) {
      await store.execute("clock-1", set(key, 1), clock);
    }
    const began = Date.now();
    same(await gateway.catchUp(), undefined);
    same(
      await rung(store),
      [
        ["well", true],
        ["fails", true],
      ],
      "one that fails holds up no other",
    );
    same(Date.now() - began >= 240, true, "it waited before the second attempt");
    same(fails, -1);
  },

  async "a store lists its timers and cancels them"(sillok) {
    const store = new sillok.EventStore();
    const clock = clockOf(sillok, (key) =>
      key === "no" ? (sillok.reject("no", 5) as never) : undefined,
    );
    same(await all(store.timers("clock-1")), []);
    for (const [key, at] of [
      ["later", Date.UTC(2100, 0, 1)],
      ["no", 1],
    ] as const) {
      await store.execute("clock-1", set(key, at), clock, { commandId: `set-${key}` });
    }
    await new sillok.EventGateway(store).register(clock).catchUp();
    const [later, rejected, ...more] = await all(store.timers("clock-1"));
    const data = { key: "later", at: Date.UTC(2100, 0, 1) };
    same(later, {
      key: "later",
      due: "2100-01-01T00:00:00.000Z",
      command: { type: "Ring", data, metadata: { correlationId: "set-later" } },
      state: "due",
      failedAttempts: 0,
    });
    same([rejected?.state, rejected?.rejection, more], ["rejected", { code: "no", data: 5 }, []]);
    same(await store.cancelTimer("clock-1", "later"), true);
    same(await store.cancelTimer("clock-1", "later"), false);
    same((await all(store.timers("clock-1"))).length, 1);
    for (const key of ["", "a\n", 5, "x".repeat(201)]) {
      same(await codeOf(store.cancelTimer("clock-1", key as string)), "invalid_parameter");
    }
    same(await codeOf(all(store.timers(""))), "invalid_stream_id");
    const many = Array.from({ length: 1000 }, (_, n) => `${n}`);
    const filler = sillok.aggregate<Rung, Command, null>("filler", {
      initialState: () => null,
      evolve: () => null,
      decide: ({ data }) =>
        many.map((key) => sillok.schedule(key, 9e12, { type: "Ring", data: { ...data, at: 0 } })),
    });
    await store.execute("filler-1", set("x".repeat(6000), 1), filler);
    const keys = (await all(store.timers("filler-1"))).map(({ key }) => key);
    same(keys, many.toSorted(), "several pages");
  },

  async "timers of a category that is not registered wait, and hold up no others"(sillok) {
    const store = new sillok.EventStore();
    const clock = clockOf(sillok);
    const other = sillok.aggregate<Rung, Command, number>("other", {
      initialState: () => 0,
      evolve: (count) => count + 1,
      decide: ({ data }) =>
        sillok.schedule(data.key, 1, { type: "Ring", data: { key: "x", at: 1 } }),
    });
    for (let n = 0; n < 600; n += 1) await store.execute("other-1", set(`${n}`, 1), other);
    await store.execute("clock-1", set("own", 2), clock);
    const gateway = new sillok.EventGateway(store).register(clock);
    await gateway.catchUp();
    same(await rung(store), [["own", true]]);
    same(await codeOf((async () => gateway.register(clock))()), "invalid_consumer");
  },

  async "transfers move money once: completed, failed, or refunded"(sillok) {
    const store = new sillok.EventStore();
    const { account, transfer } = transfersOf(sillok);
    const gateway = new sillok.EventGateway(store).register(account, transfer);
    await store.execute("account-a", deposit(100), account);
    await store.execute("account-closed", { type: "Close", data: { cents: 0 } }, account);
    await store.execute("transfer-1", request("a", "b", 60), transfer);
    await store.execute("transfer-2", request("a", "b", 60), transfer);
    await store.execute("transfer-3", request("a", "closed", 30), transfer);
    same(await gateway.catchUp(), undefined, "the lapses ended with the transfers");
    const state = async (id: number) => (await store.load(`transfer-${id}`, transfer)).state.status;
    const statuses = [await state(1), await state(2), await state(3)];
    same(statuses.toSorted(), ["Completed", "Failed", "Refunded"]);
    same([statuses[2], (await store.load("account-b", account)).state], ["Refunded", 60]);
    same((await store.load("account-a", account)).state, 40);
    const late = await store.attempt("transfer-1", request("a", "b", 1), transfer);
    same(late.accepted ? "" : late.rejection.code, "process_ended");
    const events = await all(store.read("account-b"));
    same(events.length, 1);
    const correlated = events[0]?.metadata as { causationId?: string };
    same(typeof correlated.causationId, "string", "it names the sent command");
  },

  async "a command to an aggregate that is not registered waits for its registration"(sillok) {
    const store = new sillok.EventStore();
    const { account, transfer } = transfersOf(sillok);
    const gateway = new sillok.EventGateway(store).register(transfer);
    await store.execute("account-a", deposit(100), account);
    await store.execute("transfer-1", request("a", "b", 60), transfer);
    const stop = new AbortController();
    const running = gateway.run({ signal: stop.signal });
    await new Promise((resolve) => setTimeout(resolve, 20));
    gateway.register(account);
    for await (const { type } of store.subscribe("transfer-1")) if (type === "Completed") break;
    stop.abort();
    await running;
    same((await store.load("account-b", account)).state, 60);
  },

  async "what the receiver's `prepare` looks up is there, and its failure is repeated"(sillok) {
    const store = new sillok.EventStore();
    let looks = 0;
    const shop = sillok.aggregate<
      { type: "Sold"; data: number },
      { type: "Sell"; data: number },
      null
    >("shop", {
      initialState: () => null,
      evolve: () => null,
      decide: ({ data }) => ({ type: "Sold", data }),
      async prepare(command) {
        looks += 1;
        if (looks === 1) throw new Error("no connection");
        return { ...command, data: command.data * 10 };
      },
    });
    const order = sillok.process<{ type: "Done" }, { type: "Go" }, null>("order", {
      initialState: () => null,
      evolve: () => null,
      decide: () => sillok.send("sale", shop, "1", { type: "Sell", data: 5 }),
      answered: { sale: () => ({ type: "Done" }) },
    });
    await store.execute("order-1", { type: "Go" }, order);
    await new sillok.EventGateway(store).register(shop, order).catchUp();
    same(
      (await all(store.read("shop-1"))).map(({ data }) => data),
      [50],
    );
    same([looks, (await all(store.read("order-1"))).length], [2, 1]);
  },

  async "a process follows events of other streams: each takes effect once"(sillok) {
    type Placed = { type: "Placed"; data: { order: string } };
    type Seen = { type: "Started" | "Paid"; data: { from: string } };
    const shipping = sillok.process<Seen, { type: "Nothing" }, string[], never, Placed>(
      "shipping",
      {
        initialState: () => [],
        evolve: (seen, { type }) => [...seen, type],
        decide: () => [],
        prepare: () => Promise.reject(new Error("`prepare` is for commands, not for events")),
        category: "order",
        starts: { Placed: ({ data }) => data.order },
        on: {
          Placed: (event) => ({ type: "Started", data: { from: event.stream } }),
          ...({
            Paid: {
              instance: ({ data }: { data: { order: string } }) => data.order,
              decide: (event: { stream: string }) => ({
                type: "Paid",
                data: { from: event.stream },
              }),
            },
          } as object),
        },
        ended: (seen) => seen.length === 2,
      },
    );
    const store = new sillok.EventStore();
    const gateway = new sillok.EventGateway(store).register(shipping);
    const event = (type: string, order: string) => ({ type, data: { order } });
    await store.append("order-1", [event("Paid", "1"), event("Placed", "1"), event("Paid", "1")]);
    await store.append("order-1", [event("Paid", "1"), event("Paid", "2"), event("Other", "1")]);
    await store.append("elsewhere-1", event("Placed", "3"));
    await gateway.catchUp();
    const { state } = await store.load("shipping-1", shipping);
    same(state, ["Started", "Paid"], "an event before the start and one after the end do nothing");
    same((await store.load("shipping-2", shipping)).version, 0);
    same((await store.load("shipping-3", shipping)).version, 0);
    const { kind, name, lag } = await gateway.consumer(shipping).status();
    same([kind, name, lag], ["process", "shipping", 0]);
    const [first] = await all(store.read("shipping-1"));
    const { causationId, correlationId } = first?.metadata as Record<string, unknown>;
    same([typeof causationId, typeof correlationId], ["string", "string"]);
  },

  async "a run ends with an error when the store is closed, also while a command is sent"(sillok) {
    const store = new sillok.EventStore();
    let looks = () => {};
    const looked = new Promise<void>((resolve) => (looks = resolve));
    let finish = () => {};
    const slow = sillok.aggregate<{ type: "A" }, { type: "Do" }, null>("slow", {
      initialState: () => null,
      evolve: () => null,
      decide: () => [],
      prepare: (command) => {
        looks();
        return new Promise((resolve) => (finish = () => resolve(command)));
      },
    });
    const asks = sillok.process<{ type: "A" }, { type: "Go" }, null>("asks", {
      initialState: () => null,
      evolve: () => null,
      decide: () => sillok.send("slow", slow, "1", { type: "Do" }),
      answered: { slow: () => [] },
    });
    await store.execute("asks-1", { type: "Go" }, asks);
    const running = codeOf(new sillok.EventGateway(store).register(slow, asks).run());
    await looked;
    store.close();
    finish();
    same(await running, "storage_failed");
  },
};
