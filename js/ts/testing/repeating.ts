import { all, type Behaviours, refusal, same } from "./assert.js";

export const repeating: Behaviours = {
  async "an append under a key takes effect once, and returns the same result every time"(open) {
    const store = await open();
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

  async "a key belongs to its stream"(open) {
    const store = await open();
    const options = { idempotencyKey: "k" };
    for (const stream of ["s", "t"]) {
      same((await store.append(stream, { type: "A" }, options)).replayed, false);
    }
    const other = await store.append("s", { type: "A" }, { idempotencyKey: "K" });
    same([other.version, other.replayed], [2, false]);
  },

  async "other events under a used key are refused"(open) {
    const store = await open();
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
      const refused = await refusal(store.append("s", other, options));
      same(refused, ["idempotency_key_reused", undefined], `case ${place}`);
    }
    same((await store.append("s", event, options)).replayed, true);
    same((await all(store.read("s"))).length, 1);
  },

  async "a refused append does not use its key"(open) {
    const store = await open();
    const options = { expectedVersion: 5, idempotencyKey: "k" } as const;
    const [code] = await refusal(store.append("s", { type: "A" }, options));
    same(code, "wrong_expected_version");
    const { version, replayed } = await store.append("s", { type: "B" }, { idempotencyKey: "k" });
    same([version, replayed], [1, false]);
  },

  async "an invalid key is refused"(open) {
    const store = await open();
    const longest = "é".repeat(100);
    await store.append("s", { type: "A" }, { idempotencyKey: longest });
    const keys = ["", "x".repeat(201), `${longest}x`, "a\nb", "\ud800", "\ufffd"];
    for (const [place, idempotencyKey] of keys.entries()) {
      const refused = await refusal(store.append("s", { type: "A" }, { idempotencyKey }));
      same(refused, ["invalid_idempotency_key", "idempotencyKey"], `key ${place}`);
    }
    same((await all(store.read("s"))).length, 1);
  },
};
