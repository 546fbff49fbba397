import type { StreamsOptions } from "../store/options.js";
import type { Store } from "../store/store.js";
import { all, type Behaviours, refusal, same } from "./assert.js";

/** Waits until the feed has this many events. A server adds an event to the feed after it has answered the append. */
async function until(store: Store, events: number): Promise<void> {
  let seen = 0;
  for await (const _ of store.subscribe({ all: true })) {
    seen += 1;
    if (seen === events) break;
  }
}

async function names(store: Store, options?: StreamsOptions): Promise<string[]> {
  return (await all(store.streams(options))).map(({ stream }) => stream);
}

export const listing: Behaviours = {
  async "the directory has every stream, with its version and the time of its last event"(open) {
    const store = await open();
    same(await names(store), []);
    await store.append("b", [{ type: "A" }, { type: "B" }]);
    await store.append("a-1", { type: "A" });
    const { time } = await store.append("b", { type: "C" });
    const [first] = await all(store.read("a-1"));
    await until(store, 4);
    same(await all(store.streams()), [
      { stream: "a-1", version: 1, time: first?.time },
      { stream: "b", version: 3, time },
    ]);
  },

  async "streams are listed in the order of the bytes of their ids, also in parts"(open) {
    const store = await open();
    // In UTF-16 the last two would have the opposite order.
    const streams = ["A", "a", "a-1", "a-10", "a-2", "a-2-x", "ab-1", "b", "\uff5e-1", "😀-1"];
    for (const stream of streams.toReversed()) await store.append(stream, { type: "A" });
    await until(store, streams.length);
    const cases: [StreamsOptions, string[]][] = [
      [{}, streams],
      [{ prefix: "a" }, ["a", "a-1", "a-10", "a-2", "a-2-x", "ab-1"]],
      [{ prefix: "a-1" }, ["a-1", "a-10"]],
      [{ prefix: "none" }, []],
      [{ category: "a" }, ["a", "a-1", "a-10", "a-2", "a-2-x"]],
      [{ category: "a", prefix: "a-2" }, ["a-2", "a-2-x"]],
      [{ category: "😀" }, ["😀-1"]],
      [{ after: "a-10" }, ["a-2", "a-2-x", "ab-1", "b", "\uff5e-1", "😀-1"]],
      [{ after: "a-11", category: "a" }, ["a-2", "a-2-x"]],
      [{ after: "😀-1" }, []],
    ];
    for (const [options, expected] of cases) {
      const about = JSON.stringify(options);
      same(await names(store, options), expected, about);
      for (const limit of [1, 2, 1000]) {
        const found = await names(store, { ...options, limit });
        same(found, expected.slice(0, limit), `${about} ${limit}`);
      }
    }
  },

  async "an invalid option of the directory is refused with its field"(open) {
    const store = await open();
    const list = (options: unknown) => store.streams(options as StreamsOptions).next();
    for (const field of ["prefix", "after"]) {
      for (const bad of [5, null, {}]) {
        same(await refusal(list({ [field]: bad })), ["invalid_parameter", field]);
      }
    }
    for (const category of [5, null, "", "x".repeat(201), "a\nb", "account-"]) {
      same(await refusal(list({ category })), ["invalid_category", "category"], String(category));
    }
    same(await names(store, { limit: 0 }), []);
    for (const limit of [-1, 1.5, NaN, "1", null]) {
      same(await refusal(list({ limit })), ["invalid_parameter", "limit"], String(limit));
    }
    same(await refusal(list({ from: "a" })), ["invalid_parameter", "from"]);
    same(await refusal(list(null)), ["invalid_parameter", "options"]);
  },
};
