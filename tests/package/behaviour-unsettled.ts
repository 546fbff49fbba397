import type { Behaviours, Sillok } from "./behaviour.ts";
import { codeOf } from "./behaviour-consume.ts";
import { all, refusal, same } from "./check.ts";

type Rung = { type: "Rung"; data: string };
type Set = { type: "Set"; data: { key: string; at: number } };
type Ring = { type: "Ring"; data: string };

/** An aggregate whose timers ring. The timer `again` sets itself for now, and `fails` always fails. */
function clockOf({ aggregate, schedule }: Sillok, failed = () => {}) {
  return aggregate<Rung, Set | Ring, number>("clock", {
    initialState: () => 0,
    evolve: (count) => count + 1,
    decide(command, _, { now }) {
      if (command.type === "Set") {
        const { key, at } = command.data;
        return schedule(key, at, { type: "Ring", data: key });
      }
      if (command.data === "again") return schedule("again", now, { type: "Ring", data: "again" });
      if (command.data === "fails") {
        failed();
        throw new Error("it always fails");
      }
      return { type: "Rung", data: command.data };
    },
  });
}

const set = (key: string, at: number) => ({ type: "Set", data: { key, at } }) as const;
const pause = (millis: number) => new Promise((resolve) => setTimeout(resolve, millis));

type Done = { type: "Done"; data?: unknown };

/** A shop, and an order that buys there. */
function shopOf(
  { aggregate, process, send }: Sillok,
  answered: (answer: object) => Done = () => ({ type: "Done" }),
) {
  const shop = aggregate<{ type: "Sold"; data: null }, { type: "Sell"; data: null }, number>(
    "shop",
    {
      initialState: () => 0,
      evolve: (sold) => sold + 1,
      decide: () => ({ type: "Sold", data: null }),
    },
  );
  const order = process<Done, { type: "Buy" }, number>("order", {
    initialState: () => 0,
    evolve: (done) => done + 1,
    decide: () => [send("sale", shop, "1", { type: "Sell", data: null })],
    answered: { sale: answered },
  });
  return { shop, order };
}

/** Timers and sent commands that are not done: listed, parked, cancelled, or without an end. */
export const unsettled: Behaviours = {
  async "a timer that sets itself for now holds up nothing else"(sillok) {
    const store = new sillok.EventStore();
    const clock = clockOf(sillok);
    const seen: string[] = [];
    const watcher = sillok.reactor("watcher", { on: ({ stream }) => void seen.push(stream) });
    const gateway = new sillok.EventGateway(store).register(clock, watcher);
    await store.execute("clock-1", set("again", 1), clock);
    await store.execute("clock-2", set("once", Date.now() + 30), clock);
    for (const run of ["run", "catchUp"] as const) {
      const stop = new AbortController();
      const running = gateway[run]({ signal: stop.signal });
      const began = Date.now();
      await pause(20);
      same(Date.now() - began < 1000, true, "the timers of the platform run");
      while (seen.length === 0) await pause(10);
      stop.abort();
      await running;
    }
    same(seen, ["clock-2"]);
    same(
      (await all(store.timers("clock-1"))).map(({ key }) => key),
      ["again"],
    );
  },

  async "catchUp waits for a repeat, but not for one that was cancelled"(sillok) {
    const { random } = Math;
    // The longest wait before a repeat: half a second.
    Math.random = () => 0.999;
    try {
      // On a slow machine, the later timer may be due before catchUp ends. Then there is another try.
      for (let tries = 1; ; tries += 1) {
        const store = new sillok.EventStore();
        let fail = () => {};
        const failed = new Promise<void>((resolve) => (fail = resolve));
        const clock = clockOf(sillok, fail);
        const gateway = new sillok.EventGateway(store).register(clock);
        const later = Date.now() + 450;
        await store.execute("clock-1", set("fails", 1), clock);
        await store.execute("clock-1", set("later", later), clock);
        const catching = gateway.catchUp();
        await failed;
        await pause(10);
        same(await store.cancelTimer("clock-1", "fails"), true);
        const next = await catching;
        if (next === undefined && tries < 6) continue;
        same([next, (await all(store.read("clock-1"))).length], [later, 0]);
        return;
      }
    } finally {
      Math.random = random;
    }
  },

  async "a store lists the sent commands and cancels them"(sillok) {
    const store = new sillok.EventStore();
    const { shop, order } = shopOf(sillok);
    same(await all(store.sent("order-1")), []);
    const buy = { commandId: "buy-1" };
    const { time } = await store.execute("order-1", { type: "Buy" }, order, buy);
    const [sent, ...more] = await all(store.sent("order-1"));
    const id = sent?.id ?? "";
    same(sent, {
      id,
      name: "sale",
      stream: "shop-1",
      sent: time,
      command: { type: "Sell", data: null, metadata: { correlationId: "buy-1" } },
      state: "due",
      failedAttempts: 0,
    });
    same([more, await all(store.timers("order-1"))], [[], []]);
    same(await store.retrySent("order-1", id), false, "it is not parked");
    same(
      [await store.cancelSent("order-1", "x"), await store.cancelSent("order-2", id)],
      [false, false],
    );
    same(await store.cancelSent("order-1", id), true);
    same(await store.cancelSent("order-1", id), false);
    await new sillok.EventGateway(store).register(shop, order).catchUp();
    same([(await store.load("order-1", order)).state, await all(store.read("shop-1"))], [0, []]);
    for (const wrong of ["", "a\n", 5, "x".repeat(201)] as string[]) {
      for (const call of [
        store.cancelTimer("order-1", wrong),
        store.retryTimer("order-1", wrong),
        store.retrySent("order-1", wrong),
        store.cancelSent("order-1", wrong),
      ]) {
        same(await codeOf(call), "invalid_parameter");
      }
    }
    same(await codeOf(all(store.sent(""))), "invalid_stream_id");
    same(await codeOf(store.retryTimer("", "a")), "invalid_stream_id");
    same(await codeOf(store.cancelSent("", "a")), "invalid_stream_id");
  },

  async "a parked command is rejected by hand, and the process takes the rejection as the answer"(
    sillok,
  ) {
    const store = new sillok.EventStore();
    const { shop, order } = shopOf(sillok, (answer) => ({ type: "Done", data: answer }));
    // A shop that does not know the command: no attempt can succeed.
    const schema = {
      "~standard": { version: 1, vendor: "own", validate: (value: unknown) => ({ value }) },
    } as const;
    const other = sillok.aggregate(shop.name, {
      initialState: () => 0,
      events: { Sold: schema },
      commands: { Close: schema },
      evolve: { Sold: (sold) => sold + 1 },
      decide: { Close: () => [] },
    });
    await store.execute("order-1", { type: "Buy" }, order);
    const [{ id = "" } = {}] = await all(store.sent("order-1"));
    const rejection = { code: "sold_out", data: { left: 0 } };
    same(await store.rejectSent("order-1", id, rejection), false, "it is not parked");
    const gateway = new sillok.EventGateway(store).register(other, order);
    await gateway.catchUp();
    const [parked, ...more] = await all(store.sent("order-1"));
    same(
      [parked?.id, parked?.state, parked?.lastError?.code, more],
      [id, "parked", "unknown_command", []],
    );
    for (const [wrong, field] of [
      [undefined, "rejection"],
      [[], "rejection"],
      [{}, "code"],
      [{ code: "" }, "code"],
      [{ code: "lost", reason: "x" }, "reason"],
      [{ code: "lost", data: { at: NaN } }, "rejection.data.at"],
      [{ code: "lost", data: "x".repeat(100_000) }, "data"],
    ] as const) {
      const rejecting = store.rejectSent("order-1", id, wrong as never);
      same(await refusal(rejecting), ["invalid_parameter", field]);
    }
    same(await codeOf(store.rejectSent("order-1", "", rejection)), "invalid_parameter");
    same(await codeOf(store.rejectSent("", id, rejection)), "invalid_stream_id");
    same(
      [
        await store.rejectSent("order-1", "x", rejection),
        await store.rejectSent("order-2", id, rejection),
      ],
      [false, false],
    );
    same(await all(store.sent("order-1")), [parked]);
    same(await store.rejectSent("order-1", id, rejection), true);
    same(await store.rejectSent("order-1", id, rejection), false);
    same(await gateway.catchUp(), undefined);
    same(
      (await all(store.read("order-1"))).map(({ data }) => data),
      [{ accepted: false, stream: "shop-1", rejection }],
    );
    same([await all(store.sent("order-1")), await all(store.read("shop-1"))], [[], []]);
  },

  async "the context of a decision names the timer that sends the command"(sillok) {
    const store = new sillok.EventStore();
    const seen: unknown[] = [];
    let fails = 1;
    const bell = sillok.aggregate<Rung, { type: "Set" | "Ring" }, null>("bell", {
      initialState: () => null,
      evolve: () => null,
      decide({ type }, _, { timer, commandId }) {
        seen.push([type, timer, commandId]);
        if (type === "Set") return sillok.schedule("ring", 7.5, { type: "Ring" });
        if (timer !== undefined && fails-- > 0) throw new Error("not now");
        return [];
      },
    });
    await store.execute("bell-1", { type: "Set" }, bell, { commandId: "c" });
    await store.execute("bell-1", { type: "Ring" }, bell);
    const gateway = new sillok.EventGateway(store).register(bell);
    same(await gateway.catchUp(), undefined);
    const ring = ["Ring", { key: "ring", due: 8 }, undefined];
    same(seen, [["Set", undefined, "c"], ["Ring", undefined, undefined], ring, ring]);
  },

  async "a parked timer is attempted again when it is retried"(sillok) {
    const store = new sillok.EventStore();
    // A command that the aggregate does not know can never succeed, so its timer is parked at once.
    const rules = { initialState: () => 0, evolve: { Rung: (count: number) => count + 1 } };
    const schema = {
      "~standard": { version: 1, vendor: "own", validate: (value: unknown) => ({ value }) },
    } as const;
    const at = { Set: () => sillok.schedule("ring", 1, { type: "Ring", data: null } as never) };
    const old = sillok.aggregate("bell", {
      ...rules,
      events: { Rung: schema },
      commands: { Set: schema, Ring: schema },
      decide: { ...at, Ring: () => [] },
    });
    await store.execute("bell-1", { type: "Set", data: null }, old);
    const without = sillok.aggregate("bell", {
      ...rules,
      events: { Rung: schema },
      commands: { Set: schema },
      decide: at,
    } as never);
    await new sillok.EventGateway(store).register(without).catchUp();
    const [parked] = await all(store.timers("bell-1"));
    same(
      [parked?.state, parked?.failedAttempts, parked?.lastError?.code],
      ["parked", 1, "unknown_command"],
    );
    const mended = sillok.aggregate("bell", {
      ...rules,
      events: { Rung: schema },
      commands: { Set: schema, Ring: schema },
      decide: { ...at, Ring: () => ({ type: "Rung", data: null }) },
    });
    const gateway = new sillok.EventGateway(store).register(mended);
    await gateway.catchUp();
    same((await store.load("bell-1", mended)).state, 0, "it waits for a retry");
    same(await store.retryTimer("bell-1", "other"), false);
    same(await store.retryTimer("bell-1", "ring"), true);
    await gateway.catchUp();
    same([(await store.load("bell-1", mended)).state, await all(store.timers("bell-1"))], [1, []]);
    same(await store.retryTimer("bell-1", "ring"), false);
  },
};
