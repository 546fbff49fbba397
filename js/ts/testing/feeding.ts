import type { FeedEvent } from "../store/events.js";
import type { ReadAllOptions, SubscribeAllOptions } from "../store/options.js";
import type { Store } from "../store/store.js";
import { all, type Behaviours, count, refusal, same } from "./assert.js";

/** The first events of a subscription, in their order. */
async function followed(
  store: Store,
  events: number,
  options: SubscribeAllOptions = { all: true },
): Promise<FeedEvent[]> {
  const seen: FeedEvent[] = [];
  if (events === 0) return seen;
  for await (const event of store.subscribe(options)) {
    seen.push(event);
    if (seen.length === events) break;
  }
  return seen;
}

/** The names of events. They do not depend on the order of the streams. */
function named(events: readonly FeedEvent[]): string[] {
  return events.map(({ stream, version }) => `${stream} ${version}`).toSorted();
}

/** Fails unless the events of each stream are in order, without a gap or a repeat. */
function sameInOrder(events: readonly FeedEvent[]): void {
  const versions = new Map<string, number>();
  for (const { stream, version } of events) {
    same(version, (versions.get(stream) ?? 0) + 1, `${stream} ${version}`);
    versions.set(stream, version);
  }
}

/** The streams a-1 to a-4 and b-1 to b-4 with three events each, of the types T0 to T2. */
async function fill(store: Store): Promise<string[]> {
  const streams = ["a", "b"].flatMap((category) => count(1, 4).map((n) => `${category}-${n}`));
  for (const stream of streams) {
    await store.append(stream, { type: "T0", data: stream });
    await store.append(stream, [{ type: "T1" }, { type: "T2" }]);
  }
  return streams.flatMap((stream) => count(1, 3).map((version) => `${stream} ${version}`));
}

export const feeding: Behaviours = {
  async "the feed has the events of all streams, each once, and those of a stream in order"(open) {
    const store = await open();
    const following = followed(store, 24);
    const expected = await fill(store);
    const [live, caughtUp] = [await following, await followed(store, 24)];
    for (const events of [live, caughtUp]) {
      sameInOrder(events);
      same(named(events), expected);
    }
    const event = caughtUp.find(({ stream, version }) => stream === "a-2" && version === 1);
    const [read] = await all(store.read("a-2"));
    const { position, checkpoint } = event ?? {};
    same([typeof position, typeof checkpoint], ["number", "string"]);
    same(event, { ...read, position, checkpoint });
  },

  async "the feed after a checkpoint has exactly the later events"(open) {
    const store = await open();
    const expected = await fill(store);
    const events = await followed(store, 24);
    for (const place of [1, 2, 3, 11, 23]) {
      const after = events[place - 1]?.checkpoint;
      const rest = await followed(store, 24 - place, { all: true, after });
      same(named([...events.slice(0, place), ...rest]), expected, `after ${place}`);
      same(named(await all(store.readAll({ after }))), named(rest), `after ${place}`);
    }
    same(await all(store.readAll({ after: events.at(-1)?.checkpoint })), []);
  },

  async "the feed is filtered by category and types, up to the limit"(open) {
    const store = await open();
    const expected = await fill(store);
    await store.append("a", { type: "T9" });
    await store.append("ab-1", { type: "T9" });
    await followed(store, 26);
    const cases: [ReadAllOptions, string[]][] = [
      [{}, [...expected, "a 1", "ab-1 1"].toSorted()],
      [{ category: "a" }, ["a 1", ...expected.filter((name) => name.startsWith("a-"))]],
      [{ category: "b" }, expected.filter((name) => name.startsWith("b-"))],
      [{ category: "none" }, []],
      [{ types: ["T1"] }, expected.filter((name) => name.endsWith("2"))],
      [
        { types: ["T9", "T0"] },
        ["a 1", "ab-1 1", ...expected.filter((name) => name.endsWith("1"))],
      ],
      [{ types: ["T2", "None"], category: "b" }, count(1, 4).map((n) => `b-${n} 3`)],
    ];
    for (const [options, names] of cases) {
      const about = JSON.stringify(options);
      const read = await all(store.readAll(options));
      same(named(read), names.toSorted(), about);
      for (const limit of [1, 3, 1000]) {
        const limited = await all(store.readAll({ ...options, limit }));
        same(limited, read.slice(0, limit), `${about} ${limit}`);
      }
      if (options.category === undefined && options.types === undefined) continue;
      const wanted = options as SubscribeAllOptions;
      same(named(await followed(store, names.length, wanted)), names.toSorted(), about);
    }
  },

  async "a subscription to all misses no event of writers at the same time"(open) {
    const store = await open();
    const following = count(1, 3).map(() => followed(store, 120));
    const streams = count(1, 10).map((n) => `s-${n}`);
    const written = streams.flatMap((stream) =>
      count(1, 4).map(() => store.append(stream, [{ type: "A" }, { type: "B" }, { type: "C" }])),
    );
    await Promise.all(written);
    const expected = streams.flatMap((stream) => count(1, 12).map((n) => `${stream} ${n}`));
    for (const events of await Promise.all(following)) {
      sameInOrder(events);
      same(named(events), expected.toSorted());
    }
  },

  async "a long feed is read and followed in pages"(open) {
    const store = await open();
    const streams = ["s-1", "s-2", "s-3"];
    for (const stream of streams) await store.append(stream, Array(1000).fill({ type: "A" }));
    await store.append("t-1", { type: "Rare" });
    sameInOrder(await followed(store, 3001));
    const read = await all(store.readAll());
    same([read.length, new Set(named(read)).size], [3001, 3001]);
    sameInOrder(read);
    same((await all(store.readAll({ limit: 2500 }))).length, 2500);
    same(named(await all(store.readAll({ types: ["Rare"] }))), ["t-1 1"]);
    same(named(await followed(store, 1, { category: "t" })), ["t-1 1"]);
    let before = 0;
    for await (const _ of store.readAll()) {
      if (before === 0) await store.append("s-1", Array(1000).fill({ type: "Later" }));
      before += 1;
    }
    same(before, 3001, "what was there when reading began");
  },

  async "a read of all ends, also when every event causes another one"(open) {
    const store = await open();
    await store.append("s-1", [{ type: "A" }, { type: "A" }]);
    await followed(store, 2);
    let read = 0;
    for await (const { stream } of store.readAll()) {
      await store.append(stream, { type: "A" });
      read += 1;
    }
    same(read >= 2, true, `${read} events`);
    const seen = await followed(store, 2 + read);
    sameInOrder(seen);
  },

  async "a subscription to all ends by the signal and by return, also while it waits"(open) {
    const store = await open();
    await store.append("s-1", { type: "A" });
    const already = { all: true, signal: AbortSignal.abort() } as const;
    same(await all(store.subscribe(already)), []);
    const stop = new AbortController();
    const stopped = store.subscribe({ all: true, signal: stop.signal });
    const returned = store.subscribe({ category: "s" });
    for (const following of [stopped, returned]) same((await following.next()).value?.version, 1);
    const next = [stopped.next(), returned.next()];
    stop.abort();
    await returned.return(undefined);
    const end = { done: true, value: undefined };
    same(await Promise.all(next), [end, end]);
  },

  async "an invalid option of the feed is refused with its field"(open) {
    const store = await open();
    const long = "x".repeat(201);
    const cases: [options: object, code: string, field: string][] = [
      // The last one is a position that the feed has not reached: a reader from there would miss the next events.
      ...[5, null, "", "no checkpoint", "1.5.x", "-1", "01", "9007199254740991"].map(
        (after): [object, string, string] => [{ after }, "invalid_checkpoint", "after"],
      ),
      ...[5, null, "", long, "a\nb", "account-"].map((category): [object, string, string] => [
        { category },
        "invalid_category",
        "category",
      ]),
      ...[5, null, "A", []].map((types): [object, string, string] => [
        { types },
        "invalid_parameter",
        "types",
      ]),
      ...["", long, "a\nb", 5].map((type): [object, string, string] => [
        { types: ["A", type] },
        "invalid_event_type",
        "types",
      ]),
      [{ type: "A" }, "invalid_parameter", "type"],
      [{ signal: {} }, "invalid_parameter", "signal"],
    ];
    for (const [options, code, field] of cases) {
      const about = JSON.stringify(options);
      const given =
        "category" in options || "types" in options ? options : { all: true, ...options };
      const subscribed = store.subscribe(given as SubscribeAllOptions).next();
      same(await refusal(subscribed), [code, field], about);
      if (field === "signal") continue;
      same(await refusal(store.readAll(options as ReadAllOptions).next()), [code, field], about);
    }
    for (const options of [{}, { after: "0" }, { all: false }, { all: true, category: "a" }]) {
      const refused = store.subscribe(options as SubscribeAllOptions).next();
      same(await refusal(refused), ["invalid_parameter", "all"], JSON.stringify(options));
    }
    for (const after of [{}, { position: -1 }, { position: 1.5 }, { position: "1" }]) {
      const refused = store.readAll({ after } as ReadAllOptions).next();
      same(await refusal(refused), ["invalid_checkpoint", "after"], JSON.stringify(after));
    }
    for (const limit of [-1, 1.5, NaN, "1", null]) {
      const refused = store.readAll({ limit } as ReadAllOptions).next();
      same(await refusal(refused), ["invalid_parameter", "limit"], String(limit));
    }
  },

  async "the end of the feed is a place to start after"(open) {
    const store = await open();
    same((await store.end()).position, 0);
    await store.append("s", [{ type: "A" }, { type: "B" }]);
    const seen = await followed(store, 2);
    const { checkpoint, position = 0 } = await store.end();
    same([checkpoint, position], [seen.at(-1)?.checkpoint, seen.at(-1)?.position]);
    const places = [checkpoint, { position }, "end"] as const;
    for (const after of places) same(await all(store.readAll({ after })), []);
    for (const after of places) {
      const following = store.subscribe({ all: true, after });
      let type: string | undefined;
      const next = following.next().then(({ value }) => (type = value?.type));
      // A subscription to a server begins later than the call: the events before do not belong to it.
      while (type === undefined) await store.append("s", { type: "C" });
      await next;
      same(type, "C", JSON.stringify(after));
      await following.return(undefined);
    }
    const [first] = await all(store.readAll({ after: { position: 1 }, limit: 1 }));
    same(first?.type, "B");
    same(await all(store.readAll({ limit: 0 })), []);
  },
};
