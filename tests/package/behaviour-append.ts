import type { ExpectedVersion } from "sillok";

import type { Behaviours } from "./behaviour.ts";
import { all, rejection, same } from "./check.ts";

const UUID_V7 = /^[0-9a-f]{8}-[0-9a-f]{4}-7[0-9a-f]{3}-[89ab][0-9a-f]{3}-[0-9a-f]{12}$/;

export const appending: Behaviours = {
  async "an event is recorded with its version, id, time and defaults"({ EventStore }) {
    const store = new EventStore();
    const before = Date.now();
    const result = await store.append("account-42", { type: "Opened" });
    const { time } = result;
    same(result, { stream: "account-42", firstVersion: 1, version: 1, time, replayed: false });
    same(new Date(time).toISOString(), time);
    same(before <= Date.parse(time) && Date.parse(time) <= Date.now(), true, time);
    const [event, ...more] = await all(store.read("account-42"));
    const id = event?.id ?? "";
    same(UUID_V7.test(id), true, id);
    const opened = { stream: "account-42", version: 1, id, type: "Opened", time };
    same([event, more], [{ ...opened, data: null, metadata: {} }, []]);
  },

  async "an array is appended as one, in order, with the ids and metadata it names"({
    EventStore,
  }) {
    const store = new EventStore();
    await store.append("s", { type: "First" });
    const metadata = { correlationId: "c-1" };
    const result = await store.append("s", [
      { type: "A", id: "my-id" },
      { type: "B", metadata },
    ]);
    same([result.firstVersion, result.version], [2, 3]);
    const events = await all(store.read("s", { from: 2 }));
    same(
      events.map(({ version, type }) => [version, type]),
      [
        [2, "A"],
        [3, "B"],
      ],
    );
    same([events[0]?.id, events[1]?.metadata], ["my-id", metadata]);
    same(new Set(events.map(({ time }) => time)).size, 1);
  },

  async "ids are all different, and sort in the order in which they were made"({ EventStore }) {
    const store = new EventStore();
    for (let count = 0; count < 5; count += 1) {
      await store.append(
        "s",
        Array.from({ length: 1000 }, () => ({ type: "A" })),
      );
    }
    const ids = (await all(store.read("s"))).map(({ id }) => id);
    same(new Set(ids).size, 5000);
    same(ids, ids.toSorted());
    same(
      ids.filter((id) => !UUID_V7.test(id)),
      [],
    );
  },

  async "one bad event keeps all of them out"({ EventStore }) {
    const store = new EventStore();
    const events = [{ type: "A" }, { type: "" }, { type: "C" }];
    const refused = await rejection(store.append("s", events));
    same((refused as { field?: string }).field, "events[1].type");
    same(await all(store.read("s")), []);
  },

  async "all four expected versions hold"({ EventStore, isWrongExpectedVersion }) {
    const cases: [held: number, ExpectedVersion | undefined, goesAhead: boolean][] = [
      [0, undefined, true],
      [0, "any", true],
      [0, "no-stream", true],
      [0, "stream-exists", false],
      [0, 0, true],
      [0, 1, false],
      [2, undefined, true],
      [2, "any", true],
      [2, "no-stream", false],
      [2, "stream-exists", true],
      [2, 0, false],
      [2, 1, false],
      [2, 2, true],
      [2, 3, false],
      [2, Number.MAX_SAFE_INTEGER, false],
    ];
    for (const [held, expectedVersion, goesAhead] of cases) {
      const about = `${expectedVersion} at ${held}`;
      const store = new EventStore();
      for (let count = 0; count < held; count += 1) await store.append("s", { type: "Before" });
      const append = store.append("s", { type: "New" }, { expectedVersion });
      if (goesAhead) {
        same((await append).version, held + 1, about);
      } else {
        const error = await rejection(append);
        if (!isWrongExpectedVersion(error)) throw error;
        const conflict = [error.stream, error.expected, error.actual];
        same(conflict, ["s", expectedVersion, held], about);
        same((await all(store.read("s"))).length, held, about);
      }
    }
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

  async "concurrent appends that expect the same version: one goes ahead"(sillok) {
    const store = new sillok.EventStore();
    const options = { expectedVersion: "no-stream" } as const;
    const tries = Array.from({ length: 20 }, () => store.append("s", { type: "A" }, options));
    const results = await Promise.allSettled(tries);
    same(results.filter(({ status }) => status === "fulfilled").length, 1);
    same((await all(store.read("s"))).length, 1);
  },

  async "data comes back as it was"({ EventStore }) {
    const values = [
      null,
      true,
      "",
      'tab\t "quoted" back\\slash \u0000 \u2028 é 실록 😀',
      "lone \ud800 surrogate",
      0,
      -0,
      0.1 + 0.2,
      5e-324,
      Number.MAX_VALUE,
      9007199254740993,
      [[], [[]], {}],
      { "": 1, "a b": 2, 10: 3, "\ud800": 4, constructor: 5 },
      JSON.parse('{"__proto__": {"x": 1}}'),
      { type: "x", data: { metadata: [{ id: null }] } },
    ];
    const store = new EventStore();
    await store.append(
      "s",
      values.map((data) => ({ type: "Value", data })),
    );
    const found = (await all(store.read("s"))).map(({ data }) => data);
    values.forEach((value, place) => same(found[place], value, `value ${place}`));
  },

  async "values are taken as JSON takes them"({ EventStore }) {
    class Money {
      amount = 5;
      get doubled() {
        return 10;
      }
    }
    const data = {
      at: new Date(0),
      nothing: undefined,
      price: { toJSON: (key: string) => ({ key, at: new Date(1) }) },
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

  async "events are copied when append is called, and again when they are read"({ EventStore }) {
    const store = new EventStore();
    const data = { amounts: [100] };
    const appended = store.append("s", { type: "A", data });
    data.amounts.push(1);
    await appended;
    for (let time = 0; time < 2; time += 1) {
      const [event] = await all(store.read<{ type: "A"; data: typeof data }>("s"));
      same(event?.data, { amounts: [100] });
      event?.data.amounts.push(2);
    }
  },

  async "the limits themselves are allowed"({ EventStore }) {
    const store = new EventStore();
    const longest = "é".repeat(100);
    const metadata = { m: "x".repeat(16 * 1024 - '{"m":""}'.length) };
    await store.append(longest, { type: longest, id: longest, metadata });
    const many = Array.from({ length: 1024 }, () => ({ type: "A" }));
    same((await store.append("many", many)).version, 1024);
    const room = 1024 * 1024 - '"A""{}"'.length + 2;
    await store.append("large", { type: "A", data: "x".repeat(room - 2) });
    let deep: unknown = 1;
    for (let level = 0; level < 990; level += 1) deep = [deep];
    await store.append("deep", { type: "A", data: deep });
    same((await all(store.read("deep")))[0]?.data, deep);
  },

  async "stores have nothing to do with each other"({ EventStore }) {
    const [one, other] = [new EventStore(), new EventStore()];
    await one.append("s", { type: "A" });
    same(await all(other.read("s")), []);
  },
};
