import { all, type Behaviours, refusal, same } from "./assert.js";

const LONG = "x".repeat(201);

export const refusing: Behaviours = {
  async "every method refuses an invalid stream id"(open) {
    const store = await open();
    for (const stream of ["", LONG, "é".repeat(101), "a\nb", "a\u0085b", "\ud800"]) {
      const calls = {
        append: () => store.append(stream, { type: "A" }),
        read: () => store.read(stream).next(),
        subscribe: () => store.subscribe(stream).next(),
        verify: () => store.verify(stream),
        truncate: () => store.truncate(stream, { before: 1 }),
        delete: () => store.delete(stream),
      };
      for (const [name, call] of Object.entries(calls)) {
        same(await refusal(call()), ["invalid_stream_id", "stream"], `${name} of ${stream}`);
      }
    }
  },

  async "an invalid event is refused with its field, and nothing is written"(open) {
    const store = await open();
    const tooMuch = { m: "x".repeat(16 * 1024) };
    const cases: [events: unknown, code: string, field?: string][] = [
      [null, "invalid_event", "event"],
      [5, "invalid_event", "event"],
      ["A", "invalid_event", "event"],
      [[null], "invalid_event", "events[0]"],
      [[[]], "invalid_event", "events[0]"],
      [{}, "invalid_event", "type"],
      [{ type: undefined }, "invalid_event", "type"],
      [[{ type: "A" }, {}], "invalid_event", "events[1].type"],
      [{ type: "A", amount: 1 }, "invalid_event", "amount"],
      [{ type: "A", version: 1 }, "invalid_event", "version"],
      [{ type: "A", data: NaN }, "invalid_event", "data"],
      [{ type: "A", data: { of: 1n } }, "invalid_event", "data.of"],
      [{ type: 7 }, "invalid_event_type", "type"],
      [{ type: "" }, "invalid_event_type", "type"],
      [{ type: LONG }, "invalid_event_type", "type"],
      [{ type: "\u007f" }, "invalid_event_type", "type"],
      [{ type: "\ud800" }, "invalid_event_type", "type"],
      [{ type: "A", id: 7 }, "invalid_event_id", "id"],
      [{ type: "A", id: "" }, "invalid_event_id", "id"],
      [{ type: "A", id: LONG }, "invalid_event_id", "id"],
      [{ type: "A", metadata: [] }, "invalid_metadata", "metadata"],
      [{ type: "A", metadata: null }, "invalid_metadata", "metadata"],
      [{ type: "A", metadata: tooMuch }, "metadata_too_large", "metadata"],
      [[], "no_events", "events"],
      [Array.from({ length: 1025 }, () => ({ type: "A" })), "too_many_events", "events"],
      [{ type: "A", data: "x".repeat(1024 * 1024) }, "commit_too_large", "events"],
      [{ type: "A", data: "é".repeat(1024 * 512) }, "commit_too_large", "events"],
    ];
    for (const [place, [events, code, field]] of cases.entries()) {
      same(await refusal(store.append("s", events as never)), [code, field], `case ${place}`);
    }
    same(await all(store.read("s")), []);
    same((await store.append("s", { type: "A" })).version, 1);
  },

  async "an invalid option is refused with its field"(open) {
    const store = await open();
    const append = (options: unknown) => store.append("s", { type: "A" }, options as never);
    const read = (options: unknown) => all(store.read("s", options as never));
    for (const bad of [null, -1, 1.5, NaN, Infinity, 2 ** 53, "", "1", "bogus", {}, true]) {
      const refused = await refusal(append({ expectedVersion: bad }));
      same(refused, ["invalid_expected_version", "expectedVersion"], String(bad));
    }
    for (const bad of [null, 5, "any", true]) {
      same(await refusal(append(bad)), ["invalid_parameter", "options"], String(bad));
      same(await refusal(read(bad)), ["invalid_parameter", "options"], String(bad));
    }
    same(await refusal(append({ expected: 1 })), ["invalid_parameter", "expected"]);
    same(await refusal(read({ maxCount: 1 })), ["invalid_parameter", "maxCount"]);
    for (const field of ["from", "to", "limit"]) {
      const least = field === "from" ? [0] : [];
      for (const bad of [...least, -1, 1.5, NaN, Infinity, null, "1", {}]) {
        const refused = await refusal(read({ [field]: bad }));
        same(refused, ["invalid_parameter", field], `${field} ${String(bad)}`);
      }
    }
    for (const bad of [null, "", "Backward", 1, {}]) {
      same(await refusal(read({ direction: bad })), ["invalid_parameter", "direction"]);
    }
    for (const bad of [null, "", "a\nb", LONG, 1, {}]) {
      same(await refusal(read({ type: bad })), ["invalid_event_type", "type"], String(bad));
    }
    same(await all(store.read("s")), []);
  },
};
