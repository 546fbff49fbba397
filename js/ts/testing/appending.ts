import type { ExpectedVersion } from "../store/options.js";
import { all, type Behaviours, count, refusal, rejection, same } from "./assert.js";

const UUID_V7 = /^[0-9a-f]{8}-[0-9a-f]{4}-7[0-9a-f]{3}-[89ab][0-9a-f]{3}-[0-9a-f]{12}$/;

export const appending: Behaviours = {
  async "an event is recorded with its version, id, time and defaults"(open) {
    const store = await open();
    const result = await store.append("account-42", { type: "Opened" });
    const { time } = result;
    const [event, ...more] = await all(store.read("account-42"));
    const id = event?.id ?? "";
    same(UUID_V7.test(id), true, id);
    // A store that has all streams in one order also has positions.
    const { position } = result as { position?: number };
    const place = position === undefined ? {} : { position };
    const versions = { stream: "account-42", firstVersion: 1, version: 1 };
    same(result, { ...versions, time, ids: [id], ...place, replayed: false });
    same(new Date(time).toISOString(), time);
    const opened = { stream: "account-42", version: 1, id, type: "Opened", time };
    const checkpoint = position === undefined ? {} : { checkpoint: String(position) };
    same([event, more], [{ ...opened, data: null, metadata: {}, ...place, ...checkpoint }, []]);
  },

  async "an array is one commit, in order, with its ids and metadata"(open) {
    const store = await open();
    await store.append("s", { type: "First" });
    const metadata = { correlationId: "c-1" };
    const batch = [
      { type: "A", id: "my-id" },
      { type: "B", metadata },
    ];
    const result = await store.append("s", batch);
    same([result.firstVersion, result.version], [2, 3]);
    same(
      result.ids,
      (await all(store.read("s", { from: 2 }))).map(({ id }) => id),
    );
    const [first, second, ...more] = await all(store.read("s", { from: 2 }));
    same([first?.version, first?.type, first?.id], [2, "A", "my-id"]);
    same([second?.version, second?.type, second?.metadata], [3, "B", metadata]);
    same([first?.time, second?.time, more], [result.time, result.time, []]);
  },

  async "ids are unique, and sort in the order of the appends"(open) {
    const store = await open();
    for (let done = 0; done < 5; done += 1) {
      await store.append(
        "s",
        Array.from({ length: 1000 }, () => ({ type: "A" })),
      );
    }
    const ids = (await all(store.read("s"))).map(({ id }) => id);
    same(new Set(ids).size, 5000);
    same(ids, ids.toSorted());
    const others = ids.filter((id) => !UUID_V7.test(id));
    same(others, []);
  },

  async "the time of a stream never decreases"(open) {
    const store = await open();
    const times: string[] = [];
    for (let done = 0; done < 50; done += 1) {
      times.push((await store.append("s", { type: "A" })).time);
    }
    same(times, times.toSorted());
    same(
      (await all(store.read("s"))).map(({ time }) => time),
      times,
    );
  },

  async "one invalid event refuses the whole array"(open) {
    const store = await open();
    const events = [{ type: "A" }, { type: "" }, { type: "C" }];
    same(await refusal(store.append("s", events)), ["invalid_event_type", "events[1].type"]);
    same(await all(store.read("s")), []);
    same((await store.append("s", events[0] ?? [])).version, 1);
  },

  async "all four expected versions are checked"(open) {
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
      const store = await open();
      for (let done = 0; done < held; done += 1) await store.append("s", { type: "Before" });
      const append = store.append("s", { type: "New" }, { expectedVersion });
      if (goesAhead) {
        same((await append).version, held + 1, about);
        continue;
      }
      const conflict = (await rejection(append)) as Record<string, unknown>;
      const { name, code, stream, expected, actual } = conflict;
      same([name, code], ["SillokError", "wrong_expected_version"], about);
      same([stream, expected, actual], ["s", expectedVersion, held], about);
      same((await all(store.read("s"))).length, held, about);
    }
  },

  async "a read returns data unchanged"(open) {
    const values = [
      null,
      true,
      "",
      'tab\t "quoted" back\\slash \u0000 \u2028 é 실록 😀',
      "lone \ud800 surrogate",
      0,
      0.1 + 0.2,
      5e-324,
      Number.MAX_VALUE,
      9007199254740993,
      [[], [[]], {}],
      { "": 1, "a b": 2, 10: 3, "\ud800": 4, constructor: 5 },
      JSON.parse('{"__proto__": {"x": 1}}'),
      { type: "x", data: { metadata: [{ id: null }] } },
    ];
    const store = await open();
    await store.append(
      "s",
      values.map((data) => ({ type: "Value", data })),
    );
    const found = (await all(store.read("s"))).map(({ data }) => data);
    values.forEach((value, place) => same(found[place], value, `value ${place}`));
  },

  async "values are converted as JSON converts them"(open) {
    const data = {
      at: new Date(0),
      nothing: undefined,
      price: { toJSON: (key: string) => ({ key, at: new Date(1) }) },
    };
    const store = await open();
    await store.append("s", { type: "A", data, metadata: { at: new Date(2) } });
    const [event] = await all(store.read("s"));
    same(event?.data, JSON.parse(JSON.stringify(data)));
    same(event?.metadata, { at: "1970-01-01T00:00:00.002Z" });
  },

  async "append and read copy events"(open) {
    const store = await open();
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

  async "values at the limits are allowed"(open) {
    const store = await open();
    const longest = "é".repeat(100);
    const metadata = { m: "x".repeat(16 * 1024 - '{"m":""}'.length) };
    await store.append(longest, { type: longest, id: longest, metadata });
    const many = Array.from({ length: 1024 }, () => ({ type: "A" }));
    same((await store.append("many", many)).version, 1024);
    const versions = (await all(store.read("many"))).map(({ version }) => version);
    same(versions, count(1, 1024));
    const frame = '[{"id":"own","type":"A","data":""}]';
    const data = "x".repeat(1024 * 1024 - frame.length);
    await store.append("large", { type: "A", id: "own", data });
  },

  async "streams are independent of each other, and so are stores"(open) {
    const [one, other] = [await open(), await open()];
    for (const stream of ["s", "S", "s-1", " s", "실록"]) {
      const { version } = await one.append(stream, { type: stream });
      same(version, 1, stream);
    }
    for (const stream of ["s", "S", "s-1", " s", "실록"]) {
      const types = (await all(one.read(stream))).map(({ type }) => type);
      same(types, [stream]);
      same(await all(other.read(stream)), []);
    }
  },
};
