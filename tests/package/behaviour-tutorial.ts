import type { SavedEvent } from "sillok";

import type { Behaviours } from "./behaviour.ts";
import { all, same, thrown } from "./check.ts";

/** Runs `work`, and returns its output: one list of values for each call. */
function printed(work: () => void): unknown[][] {
  const { log } = console;
  const lines: unknown[][] = [];
  console.log = (...values: unknown[]) => void lines.push(values);
  try {
    work();
  } finally {
    console.log = log;
  }
  return lines;
}

export const tutorial: Behaviours = {
  "an event comes back with every field it was given"({ EventStore }) {
    const store = new EventStore();
    const at = new Date("2026-11-23T01:02:03.456Z");
    const events = [
      { aggregateId: "1" },
      {
        aggregateId: "1",
        type: "Opened",
        data: { owner: "Ada", at, tags: ["a", { at }] },
        version: 7,
      },
      { aggregateId: "1", type: 5, stream: null, id: "x", saved: { dates: [["type"]] }, n: -0 },
      { aggregateId: "1", type: "", "a.b": { "[0]": at }, "": at, "0": [[at]] },
      Object.assign(JSON.parse('{"aggregateId": "1", "__proto__": {"at": 0}}'), {
        before: new Date(-1e14),
      }),
      { aggregateId: "1", "\ud800": "\udfff", constructor: at },
      { aggregateId: "1", "\ud83d": { at: new Date(0) } },
    ];
    for (const event of events) same(store.saveEvent(event), undefined);
    same(store.findEventsByAggregateId("1"), events);
  },

  "a Date under the key __proto__ comes back without touching a prototype"({ EventStore }) {
    const store = new EventStore();
    const inner = Object.defineProperty({}, "__proto__", { value: new Date(5), enumerable: true });
    store.saveEvent({ aggregateId: "1", inner });
    const [found] = store.findEventsByAggregateId<SavedEvent & { inner: object }>("1");
    const own = Object.getOwnPropertyDescriptor(found?.inner, "__proto__");
    same(own?.value, new Date(5));
    same(Object.getPrototypeOf(found?.inner) === Object.prototype, true);
  },

  async "an appended event controls nothing when it is found"({ EventStore }) {
    const store = new EventStore();
    const data = { aggregateId: "2", a: "1970-01-01T00:00:00.000Z" };
    const paths = [["__proto__", "polluted"], ["a", "b"], ["a"], ["constructor", "name"], []];
    for (const path of paths) {
      await store.append("1", { type: "X", data, metadata: { saved: { dates: [path] } } });
    }
    store.saveEvent({ aggregateId: "1", n: 1 });
    const found = store.findEventsByAggregateId("1");
    same("polluted" in {}, false);
    same(found.length, paths.length + 1);
    same(
      found.slice(0, -1).map(({ aggregateId, data, metadata }) => [aggregateId, data, metadata]),
      paths.map((path) => ["1", data, { saved: { dates: [path] } }]),
    );
    same(found.at(-1), { aggregateId: "1", n: 1 });
  },

  async "how an event was saved is the store's own, and shown to nobody"({
    EventStore,
    verifyCommits,
  }) {
    const store = new EventStore();
    store.saveEvent({ aggregateId: "1", at: new Date(0) });
    const [event] = await all(store.read("1"));
    same(event?.metadata, {});
    same(event?.data, { aggregateId: "1", at: "1970-01-01T00:00:00.000Z" });
    const verified = await verifyCommits(store.exportCommits("1"));
    same(verified, await store.verify("1"));
  },

  "a saved event cannot be altered, neither through the saved object nor through a found one"({
    EventStore,
  }) {
    const store = new EventStore();
    const event = { aggregateId: "1", list: [1], at: new Date(0) };
    store.saveEvent(event);
    event.list.push(2);
    event.at.setTime(5);
    for (let time = 0; time < 2; time += 1) {
      const found = store.findEventsByAggregateId<typeof event>("1");
      same(found, [{ aggregateId: "1", list: [1], at: new Date(0) }]);
      found[0]?.list.push(3);
      found[0]?.at.setTime(7);
      found.pop();
    }
  },

  "events are found in the order in which they were saved, however many"({ EventStore }) {
    const store = new EventStore();
    for (let n = 0; n < 2500; n += 1) {
      store.saveEvent({ aggregateId: n % 2 === 0 ? "even" : "odd", n });
    }
    const even = store.findEventsByAggregateId<SavedEvent & { n: number }>("even");
    same(
      even.map(({ n }) => n),
      Array.from({ length: 1250 }, (_, place) => 2 * place),
    );
    same(store.findEventsByAggregateId("neither"), []);
  },

  "ids are different as with ==="({ EventStore }) {
    const store = new EventStore();
    const ids = [
      1,
      "1",
      0,
      "0",
      "-0",
      1.5,
      "1.5",
      1e21,
      "1e+21",
      2 ** 53,
      0.1,
      0.1 + 2 ** -56,
      "a-b",
    ];
    for (const aggregateId of ids) store.saveEvent({ aggregateId });
    for (const aggregateId of ids)
      same(store.findEventsByAggregateId(aggregateId), [{ aggregateId }]);
    same(store.findEventsByAggregateId(-0), [{ aggregateId: 0 }]);
    store.saveEvent({ aggregateId: -0 });
    same(store.findEventsByAggregateId(0), [{ aggregateId: 0 }, { aggregateId: -0 }]);
  },

  "an invalid event is refused"({ EventStore }) {
    const store = new EventStore();
    const cases: [event: unknown, code: string, field?: string][] = [
      [undefined, "invalid_event", "event"],
      [() => 1, "invalid_event", "event"],
      [new Map(), "invalid_event", "event"],
      [null, "invalid_event", "event"],
      ["1", "invalid_event", "event"],
      [[{ aggregateId: "1" }], "invalid_event", "event"],
      [{}, "invalid_stream_id", "aggregateId"],
      [{ aggregateId: {} }, "invalid_stream_id", "aggregateId"],
      [{ aggregateId: NaN }, "invalid_event", "aggregateId"],
      [{ aggregateId: "1", x: "x".repeat(1024 * 1024) }, "commit_too_large", "events"],
      [
        { aggregateId: "1", ["x".repeat(1000)]: Array.from({ length: 2000 }, () => new Date(0)) },
        "commit_too_large",
        "events",
      ],
      [
        { aggregateId: "1", at: Object.assign(new Date(0), { zone: "KST" }) },
        "invalid_event",
        "at",
      ],
      [
        { aggregateId: "1", list: Object.assign([1], { [Symbol("s")]: 1 }) },
        "invalid_event",
        "list",
      ],
    ];
    for (const [place, [event, code, field]] of cases.entries()) {
      const error = thrown(() => store.saveEvent(event as SavedEvent)) as {
        code: string;
        field?: string;
      };
      same([error.code, error.field], [code, field], `case ${place}`);
    }
    same(store.findEventsByAggregateId("1"), []);
  },

  "the handler prints each event of the aggregate, as the tutorial's does"(sillok) {
    const store = new sillok.EventStore();
    const opened = { aggregateId: "1", type: "Opened", note: "two\nlines" };
    const dated = { aggregateId: "1", at: new Date(0) };
    store.saveEvent(opened);
    store.saveEvent({ aggregateId: "2", type: "Opened" });
    store.saveEvent(dated);
    const gateway = new sillok.EventGateway(store, new sillok.EventHandler());
    const lines = printed(() => same(gateway.processEventsByAggregateId("1"), undefined));
    same(lines, [
      ["Event handled:", opened],
      ["Event handled:", dated],
    ]);
  },

  "the gateway calls the public methods of every store and handler"({
    EventStore,
    EventHandler,
    EventGateway,
  }) {
    const seen: unknown[] = [];
    class Store extends EventStore {
      override saveEvent(event: SavedEvent) {
        super.saveEvent({ ...event, by: "subclass" });
      }
    }
    class Handler extends EventHandler {
      override handleEvent({ by }: SavedEvent) {
        seen.push(by);
      }
    }
    const store = new Store();
    store.saveEvent({ aggregateId: "1" });
    new EventGateway(store, new Handler()).processEventsByAggregateId("1");
    const standIn = { findEventsByAggregateId: (id: unknown) => [{ aggregateId: "x", by: id }] };
    const sink = { handleEvent: (event: SavedEvent) => void seen.push(event.by) };
    new EventGateway(standIn, sink).processEventsByAggregateId(7);
    same(seen, ["subclass", 7]);
  },

  "a handler may save events meanwhile; they are handled the next time"(sillok) {
    const store = new sillok.EventStore();
    let handled = 0;
    class Doubling extends sillok.EventHandler {
      override handleEvent({ aggregateId }: SavedEvent) {
        handled += 1;
        store.saveEvent({ aggregateId, type: "Handled" });
      }
    }
    store.saveEvent({ aggregateId: "1", type: "Opened" });
    const gateway = new sillok.EventGateway(store, new Doubling());
    gateway.processEventsByAggregateId("1");
    same(handled, 1);
    gateway.processEventsByAggregateId("1");
    same(handled, 3);
  },

  "a handler that throws ends it, and its error reaches the caller"({ EventStore, EventGateway }) {
    const store = new EventStore();
    for (const n of [1, 2, 3]) store.saveEvent({ aggregateId: "1", n });
    const own = new Error("own");
    const seen: unknown[] = [];
    const handler = {
      handleEvent({ n }: SavedEvent) {
        seen.push(n);
        if (n === 2) throw own;
      },
    };
    const gateway = new EventGateway(store, handler);
    same(thrown(() => gateway.processEventsByAggregateId("1")) === own, true);
    same(seen, [1, 2]);
    same(store.findEventsByAggregateId("1").length, 3);
  },

  async "saved events can be read, and appended events can be found"({ EventStore }) {
    const store = new EventStore();
    store.saveEvent({ aggregateId: "account-42", type: "Opened", owner: "Ada" });
    store.saveEvent({ aggregateId: "account-42", type: "", owner: "Bob" });
    await store.append("account-42", { type: "Frozen", data: [1] }, { expectedVersion: 2 });
    const read = await all(store.read("account-42"));
    same(
      read.map(({ type }) => type),
      ["Opened", "EventSaved", "Frozen"],
    );
    same(read[0]?.data, { aggregateId: "account-42", type: "Opened", owner: "Ada" });
    const found = store.findEventsByAggregateId("account-42");
    same(found.length, 3);
    same(found[2], { aggregateId: "account-42", ...read[2] });
  },
};
