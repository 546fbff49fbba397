import type { EventStore } from "sillok";
import type { Behaviours } from "./behaviour.ts";
import { all, count, rejection, same } from "./check.ts";

/** The behaviour of stores in this program, in memory or on a file. */
export const local: Behaviours = {
  async "appends to several streams are one act"({ EventStore }) {
    const store = new EventStore();
    const event = { type: "A" };
    const appended = await store.appendAll([
      { stream: "a", events: event, expectedVersion: "no-stream", idempotencyKey: "k" },
      { stream: "b", events: [event, event] },
    ]);
    same(
      appended.map(({ stream, version, position, ids }) => [stream, version, position, ids.length]),
      [
        ["a", 1, 1, 1],
        ["b", 2, 3, 2],
      ],
    );
    const again = { stream: "a", events: event, idempotencyKey: "k" };
    const cases: [appends: unknown, parts: object][] = [
      [
        [
          { ...again, stream: "c" },
          { stream: "b", events: event, expectedVersion: 7 },
        ],
        { stream: "b", actual: 2 },
      ],
      [[again, { stream: "c", events: { type: "" } }], { field: "appends[1].type" }],
      [
        [again, { stream: "c", events: [event, { type: "" }] }],
        { field: "appends[1].events[1].type" },
      ],
      [[again, { stream: "c", events: { ...event, data: NaN } }], { field: "appends[1].data" }],
      [[again, { ...again }], { field: "appends[1].stream" }],
      [[again, { stream: "", events: event }], { field: "appends[1].stream" }],
      [[again, { stream: "c", events: event, expected: 1 }], { field: "appends[1].expected" }],
      [[again, 5], { field: "appends[1].options" }],
      [[], { field: "appends" }],
      [5, { field: "appends" }],
    ];
    for (const [appends, parts] of cases) {
      const refused = (await rejection(store.appendAll(appends as []))) as Record<string, unknown>;
      const found = Object.fromEntries(Object.keys(parts).map((key) => [key, refused[key]]));
      same(found, parts, JSON.stringify(appends));
    }
    same((await store.head("c")).version, 0);
    const [first, ...more] = await store.appendAll([again]);
    same([first, more], [{ ...appended[0], replayed: true }, []]);
    const next = store.subscribe("d").next();
    await store.appendAll([{ stream: "d", events: event }]);
    same((await next).value?.position, 4);
  },

  async "saved events are followed too"({ EventStore }) {
    const store = new EventStore();
    const following = store.subscribe("1");
    const next = following.next();
    store.saveEvent({ aggregateId: 1, type: "Opened" });
    same((await next).value?.data, { aggregateId: 1, type: "Opened" });
    await following.return();
  },

  async "the feed is in the order in which events were appended, each in a place of its own"(
    sillok,
  ) {
    const store = new sillok.EventStore();
    await store.append("a-1", { type: "A" });
    await store.append("b-1", [{ type: "A" }, { type: "B" }]);
    store.saveEvent({ aggregateId: "a-1", type: "C" });
    const read = await all(store.readAll());
    const found = read.map(({ position, stream, version }) => `${position} ${stream} ${version}`);
    same(found, ["1 a-1 1", "2 b-1 1", "3 b-1 2", "4 a-1 2"]);
    let checkpoint: string | undefined;
    for await (const event of store.subscribe({ types: ["A"] })) {
      if (event.position === 2) break;
      checkpoint = event.checkpoint;
    }
    const rest = await all(store.readAll({ after: checkpoint }));
    same(rest, read.slice(1));
  },

  async "more streams than a page holds are all listed"({ EventStore }) {
    const store = new EventStore();
    const names = count(1, 1005).map((place) => `s-${String(place).padStart(4, "0")}`);
    for (const name of names.toReversed()) await store.append(name, { type: "A" });
    for (const limit of [undefined, 1000, 1003]) {
      const streams = (await all(store.streams({ limit }))).map(({ stream }) => stream);
      same(streams, names.slice(0, limit), String(limit));
    }
  },

  async "a forgotten event is neither in the feed nor in the directory"(sillok) {
    const store = new sillok.EventStore();
    const following = store.subscribe({ all: true });
    for (const stream of ["a", "b", "c"])
      await store.append(stream, [{ type: "A" }, { type: "B" }]);
    same((await following.next()).value?.stream, "a");
    await store.truncate("a", { before: 2 });
    await store.truncate("c", { before: 3 });
    await store.delete("b");
    const read = await all(store.readAll());
    const places = read.map(({ position, stream }) => `${position} ${stream}`);
    same(places, ["2 a"]);
    const streams = (await all(store.streams())).map(
      ({ stream, version }) => `${stream} ${version}`,
    );
    same(streams, ["a 2", "c 2"]);
    await store.append("c", { type: "C" });
    const [last] = await all(store.readAll({ types: ["C"] }));
    same(last?.position, 7);
    // The page was read before its events were forgotten, so they are still returned.
    same((await following.next()).value?.position, 2);
    await following.return();
  },

  async "events that are forgotten after the present page end a read and an export"(sillok) {
    const forget = {
      stream_truncated: (store: EventStore) => store.truncate("s", { before: 7 }),
      stream_deleted: (store: EventStore) => store.delete("s"),
    };
    const data = "x".repeat(900_000);
    for (const [code, act] of Object.entries(forget)) {
      const store = new sillok.EventStore();
      for (const _ of count(1, 7)) await store.append("s", { type: "A", data });
      const readings = [
        store.read("s"),
        store.read("s", { direction: "backward" }),
        store.read("s", { type: "A", to: 6 }),
        store.exportCommits("s"),
      ];
      // Each read has its first page before the events are forgotten.
      for (const reading of readings) await reading.next();
      await act(store);
      for (const [place, reading] of readings.entries()) {
        const error = await rejection(all(reading as AsyncIterable<unknown>));
        same((error as { code?: unknown }).code, code, `reading ${place}`);
      }
      await store.append("t", [{ type: "A" }, { type: "A" }]);
      const short = store.read("t");
      await short.next();
      await store.truncate("t", { before: 3 });
      same((await all(short)).length, 1, "what was read already is given");
    }
  },

  async "a closed store refuses everything"(sillok) {
    const store = new sillok.EventStore();
    await store.append("s", { type: "A" });
    const reading = store.read("s");
    const following = store.subscribe("s");
    await following.next();
    const feed = store.subscribe({ all: true });
    await feed.next();
    const calls: Promise<unknown>[] = [following.next(), feed.next()];
    for (let time = 0; time < 2; time += 1) same(store.close(), undefined);
    calls.push(
      store.append("s", { type: "A" }),
      reading.next(),
      store.subscribe("s").next(),
      store.readAll().next(),
      store.streams().next(),
      store.verify("s"),
      store.truncate("s", { before: 1 }),
      store.delete("s"),
    );
    for (const refused of await Promise.allSettled(calls)) {
      if (refused.status === "fulfilled") throw new Error("it was not refused");
      same(refused.reason.code, "storage_failed");
      same(String(refused.reason), "SillokError: the store was closed");
    }
  },
};
