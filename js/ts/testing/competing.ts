import type { AppendResult, NewEvent } from "../store/events.js";
import type { ExpectedVersion } from "../store/options.js";
import type { Store } from "../store/store.js";
import { all, type Behaviours, count, refusal, same } from "./assert.js";

const WRITERS = 20;

/** Increments the number in the last event this many times. After a conflict it reads and tries again. */
export async function increment(store: Store, times: number): Promise<void> {
  for (let done = 0; done < times;) {
    const [last] = await all(store.read("s", { direction: "backward", limit: 1 }));
    const { version = 0, data = 0 } = last ?? {};
    const event = { type: "Counted", data: Number(data) + 1 };
    const append = store.append("s", event, { expectedVersion: version });
    const goesAhead = await append.then(
      () => true,
      () => false,
    );
    if (goesAhead) done += 1;
    else same((await refusal(append))[0], "wrong_expected_version");
  }
}

/** The results and error codes of many appends that start at the same time. */
async function race(
  store: Store,
  expectedVersion: ExpectedVersion,
  event = (writer: number): NewEvent => ({ type: "A", data: writer }),
): Promise<{ won: AppendResult[]; lost: unknown[] }> {
  const tries = count(1, WRITERS).map((writer) =>
    store.append("s", event(writer), { expectedVersion }),
  );
  const [won, lost]: [AppendResult[], unknown[]] = [[], []];
  for (const result of await Promise.allSettled(tries)) {
    if (result.status === "fulfilled") won.push(result.value);
    else lost.push((result.reason as { code?: unknown }).code);
  }
  return { won, lost };
}

const versionsOf = async (store: Store) =>
  (await all(store.read("s"))).map(({ version }) => version);

export const competing: Behaviours = {
  async "of many appends that expect the same version, one succeeds"(open) {
    for (const expectedVersion of ["no-stream", 0, 3] as const) {
      const store = await open();
      const before = Number(expectedVersion) || 0;
      if (before > 0) await store.append("s", Array(before).fill({ type: "Before" }));
      const { won, lost } = await race(store, expectedVersion);
      same([won.length, won[0]?.version], [1, before + 1], String(expectedVersion));
      same(lost, Array(WRITERS - 1).fill("wrong_expected_version"), String(expectedVersion));
      same(await versionsOf(store), count(1, before + 1), String(expectedVersion));
    }
  },

  async "of many appends without an exact version, all succeed"(open) {
    for (const expectedVersion of ["any", "stream-exists"] as const) {
      const store = await open();
      await store.append("s", { type: "Before" });
      const { won, lost } = await race(store, expectedVersion);
      same([won.length, lost], [WRITERS, []], expectedVersion);
      const versions = won.map(({ version }) => version).toSorted((a, b) => a - b);
      same(versions, count(2, WRITERS + 1), expectedVersion);
      same(await versionsOf(store), count(1, WRITERS + 1), expectedVersion);
    }
  },

  async "arrays that are appended at the same time do not mix"(open) {
    const store = await open();
    const batches = count(1, WRITERS).map(async (writer) => {
      const batch = count(1, writer).map(() => ({ type: "A", data: writer }));
      return { writer, ...(await store.append("s", batch)) };
    });
    const written = await Promise.all(batches);
    const read = await all(store.read("s"));
    same(read.length, (WRITERS * (WRITERS + 1)) / 2);
    for (const { writer, firstVersion, version } of written) {
      same(version - firstVersion + 1, writer);
      const inside = read.slice(firstVersion - 1, version).map(({ data }) => data);
      same(inside, Array(writer).fill(writer));
    }
  },

  async "writers that read and retry after a conflict lose nothing"(open) {
    const store = await open();
    await store.append("s", { type: "Counted", data: 0 });
    await Promise.all(count(1, 4).map(() => increment(store, 5)));
    const data = (await all(store.read("s"))).map(({ data }) => data);
    same(data, count(0, 20));
  },

  async "of many appends under one key, one succeeds and the others repeat its result"(open) {
    const store = await open();
    const options = { idempotencyKey: "k", expectedVersion: "no-stream" } as const;
    const event = { type: "A", data: 1 };
    const tries = count(1, WRITERS).map(() => store.append("s", event, options));
    const results = await Promise.all(tries);
    same(results.filter(({ replayed }) => !replayed).length, 1);
    const [first] = results;
    same([first?.stream, first?.firstVersion, first?.version], ["s", 1, 1]);
    for (const result of results) same({ ...result, replayed: true }, { ...first, replayed: true });
    same(await versionsOf(store), [1]);
    const [code] = await refusal(store.append("s", { ...event, data: 2 }, options));
    same(code, "idempotency_key_reused");
  },

  async "appends to several streams at the same time do not conflict"(open) {
    const store = await open();
    const streams = count(1, WRITERS).map((place) => `s-${place}`);
    const written = streams.map((stream) =>
      store.append(stream, { type: "A" }, { expectedVersion: "no-stream" }),
    );
    same(
      (await Promise.all(written)).map(({ stream }) => stream),
      streams,
    );
  },
};
