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

/** What a value is, where it lies, and nothing else JSON would say. */
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
  async "what JSON would lose is refused, naming its place"({ EventStore, isSillokError }) {
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

  async "bad streams are refused by append, read and the tutorial's methods"({ EventStore }) {
    const store = new EventStore();
    const streams: unknown[] = [
      "",
      "x".repeat(201),
      "é".repeat(101),
      "x".repeat(10_000_000),
      "a\nb",
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

  async "bad events are refused"({ EventStore }) {
    const store = new EventStore();
    const long = "x".repeat(201);
    const cases: [events: unknown, code: string, field?: string][] = [
      [null, "invalid_event"],
      [5, "invalid_event"],
      ["A", "invalid_event"],
      [undefined, "invalid_event", "event"],
      [new Date(0), "invalid_event"],
      [new Set([{ type: "A" }]), "invalid_event", "event"],
      [[null], "invalid_event", "events[0]"],
      [[[]], "invalid_event", "events[0]"],
      [[undefined], "invalid_event", "events[0]"],
      [{}, "invalid_event", "type"],
      [{ type: undefined }, "invalid_event", "type"],
      [[{ type: "A" }, {}], "invalid_event", "events[1].type"],
      [{ type: "A", amount: 1 }, "invalid_event", "amount"],
      [{ type: "A", version: 1 }, "invalid_event", "version"],
      [{ type: 7 }, "invalid_event_type", "type"],
      [{ type: "" }, "invalid_event_type", "type"],
      [{ type: long }, "invalid_event_type", "type"],
      [{ type: "\u007f" }, "invalid_event_type", "type"],
      [{ type: "\ud800" }, "invalid_event_type", "type"],
      [{ type: "A", id: 7 }, "invalid_event_id", "id"],
      [{ type: "A", id: "" }, "invalid_event_id", "id"],
      [{ type: "A", id: long }, "invalid_event_id", "id"],
      [{ type: "A", metadata: [] }, "invalid_metadata", "metadata"],
      [{ type: "A", metadata: null }, "invalid_metadata", "metadata"],
      [{ type: "A", metadata: { m: "x".repeat(16 * 1024) } }, "metadata_too_large", "metadata"],
      [[], "no_events", "events"],
      [Array.from({ length: 1025 }, () => ({ type: "A" })), "too_many_events", "events"],
      [{ type: "A", data: "x".repeat(1024 * 1024) }, "commit_too_large", "events"],
      [{ type: "A", data: "é".repeat(1024 * 512) }, "commit_too_large", "events"],
      [{ type: "A", data: "x".repeat(40_000_000) }, "commit_too_large", "events"],
    ];
    for (const [place, [events, code, field]] of cases.entries()) {
      same(await refusal(store.append("s", events as never)), [code, field], `case ${place}`);
    }
    same(await all(store.read("s")), []);
  },

  async "bad options are refused, always by rejecting"({ EventStore }) {
    const store = new EventStore();
    const append = (options: unknown) => store.append("s", { type: "A" }, options as never);
    const read = (options: unknown) => all(store.read("s", options as never));
    const versions = [
      null,
      -1,
      1.5,
      NaN,
      Infinity,
      2 ** 53,
      1n,
      "",
      "1",
      "bogus",
      "x".repeat(99),
      {},
    ];
    for (const bad of [...versions, true, [], cyclic, trap, Symbol("s"), () => 1]) {
      const about = Object.prototype.toString.call(bad);
      const expected = ["invalid_expected_version", "expectedVersion"];
      same(await refusal(append({ expectedVersion: bad })), expected, about);
    }
    for (const bad of [null, 5, "any", true]) {
      same(await refusal(append(bad)), ["invalid_parameter", "options"]);
      same(await refusal(read(bad)), ["invalid_parameter", "options"]);
    }
    same(await refusal(append({ expected: 1 })), ["invalid_parameter", "expected"]);
    same(await refusal(read({ maxCount: 1 })), ["invalid_parameter", "maxCount"]);
    for (const field of ["from", "to", "limit"]) {
      for (const bad of [0, -1, 1.5, NaN, Infinity, null, "1", 1n, {}, cyclic, trap]) {
        same(
          await refusal(read({ [field]: bad })),
          ["invalid_parameter", field],
          String(bad === trap),
        );
      }
    }
    for (const bad of [null, "", "Backward", 1, {}, cyclic, trap]) {
      same(await refusal(read({ direction: bad })), ["invalid_parameter", "direction"]);
    }
    for (const bad of [null, "", "a\nb", "x".repeat(201), 1, {}, cyclic, trap]) {
      same(await refusal(read({ type: bad })), ["invalid_event_type", "type"]);
    }
    same(await refusal(read({ from: 2, to: 1 })), ["invalid_parameter", "to"]);
    same(await refusal(read({ from: 2, to: 1, direction: "backward" })), [
      "invalid_parameter",
      "to",
    ]);
    same(await all(store.read("s")), []);
  },

  async "a store that refused much goes on working"({ EventStore }) {
    const store = new EventStore();
    for (let time = 0; time < 2000; time += 1) {
      await rejection(store.append("", { type: "A" }));
      await rejection(store.append("s", { type: "" }));
    }
    same((await store.append("s", { type: "A" })).version, 1);
  },
};
