import type { Behaviours } from "./behaviour.ts";
import { all, rejection, same } from "./check.ts";

type Refused = { code?: unknown; field?: unknown };

export const repeating: Behaviours = {
  async "an append under a key is done once, and answers the same every time"({ EventStore }) {
    const store = new EventStore();
    const events = [{ type: "A", data: { amount: 1.5 } }, { type: "B" }];
    const options = { expectedVersion: "no-stream", idempotencyKey: "k" } as const;
    const first = await store.append("s", events, options);
    same(first.replayed, false);
    await store.append("s", { type: "Later" });
    for (const expectedVersion of ["no-stream", "any", 7] as const) {
      const again = await store.append("s", events, { ...options, expectedVersion });
      same(again, { ...first, replayed: true }, String(expectedVersion));
    }
    const read = await all(store.read("s"));
    same(
      read.map(({ type }) => type),
      ["A", "B", "Later"],
    );
  },

  async "a key belongs to its stream"({ EventStore }) {
    const store = new EventStore();
    const options = { idempotencyKey: "k" };
    for (const stream of ["s", "t"]) {
      same((await store.append(stream, { type: "A" }, options)).replayed, false);
    }
    const other = await store.append("s", { type: "A" }, { idempotencyKey: "K" });
    same([other.version, other.replayed], [2, false]);
  },

  async "other events under a used key are refused"({ EventStore }) {
    const store = new EventStore();
    const options = { idempotencyKey: "k" };
    const event = { type: "A", data: 1, metadata: { m: 1 }, id: "i" };
    await store.append("s", event, options);
    const others = [
      { ...event, type: "B" },
      { ...event, data: 2 },
      { ...event, metadata: {} },
      { ...event, id: "j" },
      [event, event],
    ];
    for (const [place, other] of others.entries()) {
      const error = (await rejection(store.append("s", other, options))) as Refused;
      same([error.code, "field" in error], ["idempotency_key_reused", false], `case ${place}`);
    }
    same((await store.append("s", event, options)).replayed, true);
    same((await all(store.read("s"))).length, 1);
  },

  async "a refused append leaves its key free"({ EventStore }) {
    const store = new EventStore();
    const options = { expectedVersion: 5, idempotencyKey: "k" } as const;
    const refused = (await rejection(store.append("s", { type: "A" }, options))) as Refused;
    same(refused.code, "wrong_expected_version");
    const { version, replayed } = await store.append("s", { type: "B" }, { idempotencyKey: "k" });
    same([version, replayed], [1, false]);
  },

  async "what can be no key is refused"({ EventStore }) {
    const store = new EventStore();
    const longest = "é".repeat(100);
    await store.append("s", { type: "A" }, { idempotencyKey: longest });
    const keys = ["", "x".repeat(201), `${longest}x`, "a\nb", "\ud800", null, 5, {}, Symbol("k")];
    for (const [place, bad] of keys.entries()) {
      const idempotencyKey = bad as string;
      const refused = store.append("s", { type: "A" }, { idempotencyKey });
      const { code, field } = (await rejection(refused)) as Refused;
      same([code, field], ["invalid_idempotency_key", "idempotencyKey"], `key ${place}`);
    }
    same((await all(store.read("s"))).length, 1);
  },
};
