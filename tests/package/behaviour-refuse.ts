import type { Behaviours } from "./behaviour.ts";
import { all, rejection, same, thrown } from "./check.ts";

type Refused = { code?: unknown; field?: unknown };

const cyclic: Record<string, unknown> = {};
cyclic["self"] = cyclic;

const trap: unknown = new Proxy({}, { get: () => trap });

class Secret {
  readonly #secret = 1;
  reveal() {
    return this.#secret;
  }
}

/** Values that JSON would lose, and the place that the error names. */
const LOST: [value: unknown, field: string][] = [
  [NaN, ""],
  [-Infinity, ""],
  [1n, ""],
  [() => 1, ""],
  [Symbol("s"), ""],
  [class {}, ""],
  [new Map([[1, 2]]), ""],
  [new Set([1]), ""],
  [new WeakMap(), ""],
  [/x/, ""],
  [new Error("x"), ""],
  [new Uint8Array(2), ""],
  [new ArrayBuffer(2), ""],
  [Promise.resolve(1), ""],
  [new Number(1), ""],
  [new String("x"), ""],
  [new Date(NaN), ""],
  [new Secret(), ""],
  [{ [Symbol("s")]: 1 }, ""],
  [{ [Symbol.toStringTag]: "Date" }, ""],
  [[1, undefined], "[1]"],
  [new Array(2), ""],
  [Object.assign([1], { more: 2 }), ""],
  [{ a: { b: [0, { c: NaN }] } }, ".a.b[1].c"],
  [{ "a b": { "1": 1n } }, '["a b"]["1"]'],
  [{ toJSON: () => NaN }, ""],
  [{ toJSON: () => new Map() }, ""],
  [cyclic, ".self"],
];

async function refusal(promise: Promise<unknown>): Promise<[unknown, unknown]> {
  const { code, field } = (await rejection(promise)) as Refused;
  return [code, field];
}

export const refusing: Behaviours = {
  async "a value that JSON would lose is refused, naming its place"({ EventStore, isSillokError }) {
    const store = new EventStore();
    for (const [value, field] of LOST) {
      const about = `data${field} of ${Object.prototype.toString.call(value)}`;
      const error = await rejection(store.append("s", { type: "A", data: value }));
      same(
        [(error as Refused).code, (error as Refused).field],
        ["invalid_event", `data${field}`],
        about,
      );
      same((error as Error).message.includes(`data${field} `), true, (error as Error).message);
      const inArray = store.append("s", [{ type: "A" }, { type: "A", data: value }]);
      same(await refusal(inArray), ["invalid_event", `events[1].data${field}`], about);
      const saved = thrown(() => store.saveEvent({ aggregateId: "s", at: [value] }));
      same(
        isSillokError(saved) && [saved.code, saved.field],
        ["invalid_event", `at[0]${field}`],
        about,
      );
    }
    let deep: unknown = 1;
    for (let level = 0; level < 100_000; level += 1) deep = [deep];
    same((await refusal(store.append("s", { type: "A", data: deep })))[0], "invalid_event");
    same(await all(store.read("s")), []);
  },

  async "errors of the caller's own getters and toJSON are left as they are"({ EventStore }) {
    const own = new Error("own");
    const data = {
      get amount() {
        throw own;
      },
    };
    const store = new EventStore();
    same(await rejection(store.append("s", { type: "A", data })), own);
    same(
      thrown(() =>
        store.saveEvent({
          aggregateId: 1,
          x: {
            toJSON: () => {
              throw own;
            },
          },
        }),
      ),
      own,
    );
  },

  async "values that are no streams are refused, also by the tutorial's methods"({ EventStore }) {
    const store = new EventStore();
    const streams: unknown[] = [
      "",
      "x".repeat(10_000_000),
      "a\u0085b",
      "\ud800",
      undefined,
      null,
      true,
      Symbol("s"),
      1n,
      {},
      cyclic,
      trap,
      ["s"],
      new String("s"),
      () => "s",
    ];
    for (const [place, bad] of streams.entries()) {
      const stream = bad as string;
      const about = `stream ${place}`;
      const expected = ["invalid_stream_id", "stream"];
      same(await refusal(store.append(stream, { type: "A" })), expected, about);
      same(await refusal(all(store.read(stream))), expected, about);
      const { code, field } = thrown(() => store.findEventsByAggregateId(stream)) as Refused;
      same([code, field], ["invalid_stream_id", "aggregateId"], about);
      const saved = thrown(() => store.saveEvent({ aggregateId: stream })) as Refused;
      const isInvalidEvent = saved.code === "invalid_event" || saved.code === "invalid_stream_id";
      same([isInvalidEvent, String(saved.field).startsWith("aggregateId")], [true, true], about);
    }
    for (const id of [NaN, Infinity]) {
      const { code } = thrown(() => store.findEventsByAggregateId(id)) as Refused;
      same(code, "invalid_stream_id");
    }
  },

  async "values that are no events are refused"({ EventStore }) {
    const store = new EventStore();
    const cases: [events: unknown, code: string, field?: string][] = [
      [undefined, "invalid_event", "event"],
      [new Date(0), "invalid_event", "event"],
      [new Set([{ type: "A" }]), "invalid_event", "event"],
      [[undefined], "invalid_event", "events[0]"],
      [{ type: "A", data: "x".repeat(40_000_000) }, "commit_too_large", "events"],
    ];
    for (const [place, [events, code, field]] of cases.entries()) {
      same(await refusal(store.append("s", events as never)), [code, field], `case ${place}`);
    }
    same(await all(store.read("s")), []);
  },

  async "values that are no options are refused, always by rejecting"({ EventStore }) {
    const store = new EventStore();
    const append = (options: unknown) => store.append("s", { type: "A" }, options as never);
    const read = (options: unknown) => all(store.read("s", options as never));
    for (const bad of ["x".repeat(99), 1n, [], cyclic, trap, Symbol("s"), () => 1]) {
      const about = Object.prototype.toString.call(bad);
      const expected = ["invalid_expected_version", "expectedVersion"];
      same(await refusal(append({ expectedVersion: bad })), expected, about);
    }
    for (const bad of [null, 5, {}, Symbol("k")]) {
      const refused = await refusal(append({ idempotencyKey: bad }));
      same(refused, ["invalid_idempotency_key", "idempotencyKey"]);
    }
    for (const field of ["from", "to", "limit", "direction"]) {
      for (const bad of [1n, cyclic, trap]) {
        same(await refusal(read({ [field]: bad })), ["invalid_parameter", field], field);
      }
    }
    for (const bad of [cyclic, trap]) {
      same(await refusal(read({ type: bad })), ["invalid_event_type", "type"]);
    }
    same(await all(store.read("s")), []);
  },

  async "a store still works after many refusals"({ EventStore }) {
    const store = new EventStore();
    for (let time = 0; time < 2000; time += 1) {
      await rejection(store.append("", { type: "A" }));
      await rejection(store.append("s", { type: "" }));
    }
    same((await store.append("s", { type: "A" })).version, 1);
  },
};
