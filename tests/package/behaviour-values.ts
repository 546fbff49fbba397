import type { Behaviours } from "./behaviour.ts";
import { all, rejection, same } from "./check.ts";

export const values: Behaviours = {
  async "a value that JSON would alter comes back unchanged"({ EventStore }) {
    const data = [-0, { n: -0 }, 1e21, [[[-0]]]];
    const store = new EventStore();
    await store.append("s", { type: "A", data });
    same((await all(store.read("s")))[0]?.data, data);
  },

  async "values of every class are converted as JSON converts them"({ EventStore }) {
    class Money {
      amount = 5;
      get doubled() {
        return 10;
      }
    }
    const data = {
      left: { toJSON: () => undefined },
      money: new Money(),
      bare: Object.assign(Object.create(null), { a: 1 }),
      url: new URL("https://example.org/"),
    };
    const store = new EventStore();
    await store.append("s", { type: "A", data });
    const [event] = await all(store.read("s"));
    same(event?.data, JSON.parse(JSON.stringify(data)));
  },

  async "values may be deep"({ EventStore }) {
    const store = new EventStore();
    let deep: unknown = 1;
    for (let level = 0; level < 990; level += 1) deep = [deep];
    await store.append("deep", { type: "A", data: deep });
    same((await all(store.read("deep")))[0]?.data, deep);
  },

  async "an event is recorded at the time at which it is appended"({ EventStore }) {
    const before = Date.now();
    const { time } = await new EventStore().append("s", { type: "A" });
    same(before <= Date.parse(time) && Date.parse(time) <= Date.now(), true, time);
  },

  async "a conflict is an error with a code, a sentence and a guard"(sillok) {
    const store = new sillok.EventStore();
    await store.append("s", { type: "A" });
    const options = { expectedVersion: "no-stream" } as const;
    const error = await rejection(store.append("s", { type: "A" }, options));
    if (!sillok.isWrongExpectedVersion(error)) throw error;
    same(error instanceof Error && error instanceof sillok.SillokError, true);
    same(sillok.isSillokError(error), true);
    same(
      [error.name, error.code, "field" in error],
      ["SillokError", "wrong_expected_version", false],
    );
    same(error.message.includes("version 1"), true, error.message);
    same(error.stack?.includes("SillokError"), true);
    for (const other of [new Error("x"), null, undefined, "wrong_expected_version"]) {
      same([sillok.isSillokError(other), sillok.isWrongExpectedVersion(other)], [false, false]);
    }
  },
};
