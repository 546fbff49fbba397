import type { ReadOptions } from "../store/options.js";
import type { Store } from "../store/store.js";
import { all, type Behaviours, count, same } from "./assert.js";
import type { OpenStore } from "./index.js";

/** More than two pages. */
const COUNT = 2500;

/** A store whose stream `s` has COUNT events, in commits of many sizes. */
async function filled(open: OpenStore): Promise<Store> {
  const store = await open();
  for (let version = 0, size = 1; version < COUNT; size = (size % 400) + 37) {
    const commit = Math.min(size, COUNT - version);
    await store.append(
      "s",
      Array.from({ length: commit }, () => ({ type: "Counted" })),
    );
    version += commit;
  }
  return store;
}

async function versions(store: Store, options?: ReadOptions): Promise<number[]> {
  return (await all(store.read("s", options))).map(({ version }) => version);
}

export const reading: Behaviours = {
  async "every range, limit and direction is read over several pages"(open) {
    const store = await filled(open);
    const everything = count(1, COUNT);
    const bounds = [undefined, 1, 1000, 1001, 2000, COUNT, COUNT + 1, Number.MAX_SAFE_INTEGER];
    const limits = [undefined, 0, 1, 1000, 1001, 10_000];
    for (const from of bounds) {
      for (const to of [0, ...bounds]) {
        const inside = everything.slice((from ?? 1) - 1, to);
        for (const limit of limits) {
          const about = `${from} to ${to}, ${limit}`;
          same(await versions(store, { from, to, limit }), inside.slice(0, limit), about);
          const backward = { from, to, limit, direction: "backward" } as const;
          same(await versions(store, backward), inside.toReversed().slice(0, limit), about);
        }
      }
    }
  },

  async "events of one type are read in every range and direction, also over pages without one"(
    open,
  ) {
    const store = await open();
    const longest = "é".repeat(100);
    const typeOf = (version: number) => (version % 1700 === 0 ? longest : `T${version % 3}`);
    for (let first = 1; first <= 5000; first += 1000) {
      const events = Array.from({ length: 1000 }, (_, place) => ({ type: typeOf(first + place) }));
      await store.append("s", events);
    }
    const everything = count(1, 5000);
    for (const type of ["T0", "T1", longest, "Unknown"]) {
      for (const options of [{}, { from: 100, to: 4000 }, { limit: 2 }, { limit: 1500 }]) {
        const { from, to, limit } = { from: 1, to: 5000, limit: 5000, ...options };
        const inside = everything.slice(from - 1, to).filter((version) => typeOf(version) === type);
        same(await versions(store, { ...options, type }), inside.slice(0, limit), type);
        const backward = { ...options, type, direction: "backward" } as const;
        same(await versions(store, backward), inside.toReversed().slice(0, limit), type);
      }
    }
  },

  async "pages of large events lose nothing"(open) {
    const store = await open();
    const data = "x".repeat(900_000);
    for (let done = 0; done < 12; done += 1) await store.append("s", { type: "A", data });
    const expected = count(1, 12);
    same(await versions(store), expected);
    same(await versions(store, { direction: "backward" }), expected.toReversed());
    same(await versions(store, { limit: 7 }), expected.slice(0, 7));
  },

  async "a read ends at the version of the stream at its start"(open) {
    const store = await filled(open);
    for (const options of [{}, { direction: "backward" }, { to: COUNT + 5 }] as ReadOptions[]) {
      const reading = store.read("s", options);
      await store.append("s", { type: "BeforeTheStart" });
      const before = (await reading.next()).value?.version;
      const { version } = await store.append("s", { type: "Meanwhile" });
      const rest = (await all(reading)).map(({ version }) => version);
      const found = [before, ...rest].map(Number);
      same(Math.max(...found), Math.min(version - 1, options.to ?? version), "the last version");
      same(found.length, Math.max(...found), "the number of events");
    }
  },

  async "a read can be ended early"(open) {
    const store = await filled(open);
    const seen: number[] = [];
    for await (const { version } of store.read("s")) {
      seen.push(version);
      if (version === 1500) break;
    }
    same(seen.length, 1500);
  },

  async "a read of a stream without events is empty"(open) {
    const store = await open();
    same(await versions(store), []);
    same(await versions(store, { from: 5, direction: "backward" }), []);
  },
};
