import type { Behaviours } from "./behaviour.ts";
import { same, thrown } from "./check.ts";

type Refused = { code?: unknown; field?: unknown };

/** Invalid options of a consumer, and the field that the error names. */
const WRONG: [options: object, field: string][] = [
  [{ on: {} }, "on"],
  [{ on: { Opened: undefined } }, "on"],
  [{ on: { Opened: 5 } }, "on.Opened"],
  [{ on: { "": () => {} } }, "on"],
  [{ on: { ["x".repeat(201)]: () => {} } }, "on"],
  [{ on: null }, "on"],
  [{}, "on"],
  [{ category: "" }, "category"],
  [{ category: "a\nb" }, "category"],
  [{ category: "account-" }, "category"],
  [{ category: "\ud800" }, "category"],
  [{ category: 5 }, "category"],
  [{ events: {} }, "events"],
  [{ events: { byType: undefined } }, "events"],
  [{ events: null }, "events"],
  [{ onFailure: "give-up" }, "onFailure"],
  [{ onFailure: null }, "onFailure"],
  [{ attempts: 0 }, "attempts"],
  [{ attempts: 101 }, "attempts"],
  [{ attempts: 1.5 }, "attempts"],
  [{ attempts: "3" }, "attempts"],
  [{ firstDelay: 0 }, "firstDelay"],
  [{ firstDelay: 86_400_001 }, "firstDelay"],
  [{ firstDelay: 1000, longestDelay: 999 }, "longestDelay"],
  [{ longestDelay: Infinity }, "longestDelay"],
];

/** Projections and reactors before they run. */
export const defining: Behaviours = {
  "a consumer is whole, and cannot be altered"({ projection, reactor }) {
    const on = { Opened: () => {}, Closed: () => {}, Left: undefined };
    const balances = projection("balances", { category: "account", on });
    const { on: handlers, ...rest } = balances;
    same(rest, {
      kind: "projection",
      version: 1,
      name: "balances",
      category: "account",
      types: ["Opened", "Closed"],
      events: undefined,
      onFailure: "skip",
      attempts: 8,
      firstDelay: 500,
      longestDelay: 300_000,
    });
    Object.assign(on, { Frozen: () => {} });
    same(Object.keys(handlers), ["Opened", "Closed"]);
    for (const frozen of [balances, handlers, balances.types]) same(Object.isFrozen(frozen), true);
    const all = () => {};
    const policy = { onFailure: "stop", attempts: 1, firstDelay: 400_000 } as const;
    const defined = reactor("all", { on: all, ...policy });
    const { kind, types, category, events, longestDelay, after, timeout, ...told } = defined;
    same(
      [kind, types, category, events, longestDelay],
      ["reactor", [], undefined, undefined, 400_000],
    );
    same([timeout, reactor("all", { on: all, timeout: 5 }).timeout], [30_000, 5]);
    same({ ...told, on: told.on === all }, { name: "all", on: true, ...policy });
    same([after, reactor("all", { on: all, after: "0.7" }).after], [undefined, "0.7"]);
  },

  "an invalid definition is refused, naming the field"({ projection, reactor, isSillokError }) {
    type Define = (name: unknown, options: unknown) => { name: string };
    for (const define of [projection, reactor] as unknown as Define[]) {
      for (const [options, field] of WRONG) {
        const given = /^on\b/.test(field) ? options : { on() {}, ...options };
        const error = thrown(() => define("c", given)) as Refused;
        same([isSillokError(error), error.code, error.field], [true, "invalid_consumer", field]);
      }
      for (const name of ["", "x".repeat(201), "ä".repeat(101), "a\u0000", 5, undefined]) {
        const { code, field } = thrown(() => define(name, { on() {} })) as Refused;
        same([code, field], ["invalid_consumer", "name"]);
      }
      const misspelt = thrown(() => define("c", { on() {}, retries: 3 })) as Refused;
      same([misspelt.code, misspelt.field], ["invalid_parameter", "retries"]);
      same(define("ä".repeat(100), { on() {} }).name.length, 100);
    }
    const places: [Define, unknown][] = [
      [projection as unknown as Define, "0"],
      ...["end", "", "x", "1.", 1, null].map((after): [Define, unknown] => [
        reactor as unknown as Define,
        after,
      ]),
    ];
    for (const [define, after] of places) {
      const { code, field } = thrown(() => define("c", { on() {}, after })) as Refused;
      same([code, field], ["invalid_consumer", "after"]);
    }
    const [define, react] = [projection, reactor] as unknown as Define[];
    for (const version of [0, 1.5, 2 ** 32, "2", null]) {
      const { code, field } = thrown(() => define?.("c", { on() {}, version })) as Refused;
      same([code, field], ["invalid_consumer", "version"]);
    }
    const foreign: [Define | undefined, object, string][] = [
      [define, { timeout: 5 }, "timeout"],
      [react, { version: 2 }, "version"],
    ];
    for (const [of, option, name] of foreign) {
      const { code, field } = thrown(() => of?.("c", { on() {}, ...option })) as Refused;
      same([code, field], ["invalid_parameter", name]);
    }
  },

  "a webhook and a queue are whole, and cannot be altered"({ queue, webhook }) {
    const policy = {
      category: undefined,
      onFailure: "skip",
      attempts: 8,
      firstDelay: 500,
      longestDelay: 300_000,
    };
    const shared = { after: undefined, timeout: 30_000, ...policy };
    const types = ["Placed"];
    const secret = (env: { SECRET: string }) => env.SECRET;
    const large = webhook("large", { url: "https://shop.example/hook", secret, types });
    types.push("Paid");
    const own = { url: "https://shop.example/hook", secret, concurrency: 1 };
    same(large, { kind: "webhook", name: "large", types: ["Placed"], ...own, ...shared });
    const found = { sendBatch: async () => {} };
    const audit = queue("audit", { queue: () => found, after: "3", timeout: 5 });
    const { queue: find, ...rest } = audit;
    const begins = { after: "3", timeout: 5 };
    same(rest, { kind: "queue", name: "audit", types: [], ...shared, ...begins });
    same(find(undefined, undefined) === found, true);
    for (const frozen of [large, large.types, audit, audit.types]) {
      same(Object.isFrozen(frozen), true);
    }
  },

  "an invalid webhook or queue is refused, naming the field"({
    queue,
    webhook,
    EventGateway,
    EventStore,
  }) {
    type Define = (name: unknown, options: object) => unknown;
    const secret = `whsec_${btoa("a secret of thirty-two bytes, ok")}`;
    const sound = { url: "https://shop.example/hook", secret };
    const both = [
      ...WRONG.filter(([, field]) => !/^(on\b|events)/.test(field)),
      [{ types: [] }, "types"],
      [{ types: "Placed" }, "types"],
      [{ types: [""] }, "types"],
      [{ after: "end" }, "after"],
      [{ after: 3 }, "after"],
      [{ timeout: 0 }, "timeout"],
    ] as [object, string][];
    const cases: [Define, object, [object, string][]][] = [
      [
        webhook as Define,
        sound,
        [
          ...both,
          [{ url: undefined }, "url"],
          [{ url: "shop.example/hook" }, "url"],
          [{ url: `https://shop.example/${"x".repeat(2048)}` }, "url"],
          [{ secret: undefined }, "secret"],
          [{ secret: "whsec_short" }, "secret"],
          [{ concurrency: 7 }, "concurrency"],
        ],
      ],
      [queue as Define, { queue() {} }, [...both, [{ queue: "AUDIT" }, "queue"]]],
    ];
    for (const [define, options, wrong] of cases) {
      for (const [part, field] of wrong) {
        const { code, field: named } = thrown(() =>
          define("c", { ...options, ...part }),
        ) as Refused;
        same([code, named], ["invalid_consumer", field]);
      }
      same((thrown(() => define("", options)) as Refused).field, "name");
      const misspelt = thrown(() => define("c", { ...options, retries: 3 })) as Refused;
      same([misspelt.code, misspelt.field], ["invalid_parameter", "retries"]);
      // A program has no objects that could send.
      const gateway = new EventGateway(new EventStore());
      const refused = thrown(() => gateway.register(define("c", options) as never)) as Refused;
      same(refused.code, "invalid_consumer");
    }
  },
};
