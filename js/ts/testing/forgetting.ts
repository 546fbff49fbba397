import type { Store } from "../store/store.js";
import { all, type Behaviours, count, refusal, same } from "./assert.js";
import type { OpenStore } from "./index.js";

/** A store whose stream `s` has the commits 1, 2 to 4, and 5. */
async function filled(open: OpenStore): Promise<Store> {
  const store = await open();
  await store.append("s", { type: "A" }, { idempotencyKey: "first" });
  await store.append("s", [{ type: "B" }, { type: "C" }, { type: "D" }]);
  await store.append("s", { type: "E" }, { idempotencyKey: "last" });
  return store;
}

async function types(store: Store): Promise<string> {
  const forward = (await all(store.read("s"))).map(({ type }) => type).join("");
  const backward = await all(store.read("s", { direction: "backward" }));
  same(backward.map(({ type }) => type).toReversed(), [...forward], "backward");
  return forward;
}

/** The result of a read when events are forgotten after its first event: the versions, or the error code. */
async function readOver(
  store: Store,
  direction: "forward" | "backward",
  forget: () => Promise<unknown>,
): Promise<number[] | unknown> {
  const seen: number[] = [];
  const reading = store.read("s", { direction });
  const take = async (): Promise<void> => {
    for await (const { version } of reading) {
      seen.push(version);
      if (seen.length === 1) await forget();
    }
  };
  const error = await take().catch((error: unknown) => error);
  if (error === undefined) return seen;
  const [code] = await refusal(Promise.reject(error as Error));
  return code;
}

export const forgetting: Behaviours = {
  async "a history is intact, and its hash covers every event"(open) {
    const store = await filled(open);
    const { head, ...found } = await store.verify("s");
    same(found, { intact: true, version: 5, commits: 3 });
    same(/^[0-9a-f]{64}$/.test(head), true, head);
    await store.append("s", { type: "F" });
    const longer = await store.verify("s");
    same([longer.intact, longer.version, longer.head === head], [true, 6, false]);
    const nothing = await store.verify("empty");
    same(nothing, { intact: true, version: 0, head: "0".repeat(64), commits: 0 });
  },

  async "a truncation forgets the events before a version, and the others have the same versions"(
    open,
  ) {
    const cases: [before: number, left: string, commits: number][] = [
      [1, "ABCDE", 3],
      [2, "BCDE", 2],
      [3, "CDE", 2],
      [5, "E", 1],
      [6, "", 0],
    ];
    for (const [before, left, commits] of cases) {
      const store = await filled(open);
      const whole = await store.verify("s");
      const truncated = await store.truncate("s", { before });
      same(truncated, { stream: "s", firstVersion: before, version: 5 }, `before ${before}`);
      same(await types(store), left, `before ${before}`);
      same(await store.verify("s"), { ...whole, commits }, `before ${before}`);
      same((await store.append("s", { type: "F" }, { expectedVersion: 5 })).version, 6);
      const last = (await all(store.read("s"))).at(-1);
      same([last?.version, last?.type], [6, "F"]);
    }
  },

  async "a forgotten event does not return, and its key is free"(open) {
    const store = await filled(open);
    await store.truncate("s", { before: 4 });
    same((await store.truncate("s", { before: 2 })).firstVersion, 4);
    same(await types(store), "DE");
    const last = await store.append("s", { type: "E" }, { idempotencyKey: "last" });
    same([last.version, last.replayed], [5, true]);
    const first = await store.append("s", { type: "A" }, { idempotencyKey: "first" });
    same([first.version, first.replayed], [6, false]);
  },

  async "an invalid truncation is refused"(open) {
    const store = await filled(open);
    const truncate = (options: unknown) => store.truncate("s", options as { before: number });
    for (const before of [undefined, 0, -1, 1.5, 7, "2", null, NaN]) {
      same(await refusal(truncate({ before })), ["invalid_parameter", "before"], String(before));
    }
    same(await refusal(truncate({ before: 2, after: 1 })), ["invalid_parameter", "after"]);
    same(await refusal(store.truncate("", { before: 1 })), ["invalid_stream_id", "stream"]);
    same(await refusal(store.truncate("empty", { before: 2 })), ["invalid_parameter", "before"]);
    same(await types(store), "ABCDE");
  },

  async "a deletion of a stream cannot be undone, and affects no other stream"(open) {
    const store = await filled(open);
    await store.append("t", { type: "A" });
    for (let time = 0; time < 2; time += 1) same(await store.delete("s"), undefined);
    await store.delete("never");
    for (const stream of ["s", "never"]) {
      same(await refusal(store.read(stream).next()), ["stream_deleted", undefined]);
      same(await refusal(store.append(stream, { type: "A" })), ["stream_deleted", undefined]);
      same(await refusal(store.truncate(stream, { before: 1 })), ["stream_deleted", undefined]);
      same((await store.verify(stream)).intact, true);
    }
    same((await store.append("t", { type: "B" }, { expectedVersion: 1 })).version, 2);
  },

  async "a read returns its whole range, or fails if events of it were forgotten"(open) {
    for (const direction of ["forward", "backward"] as const) {
      for (const code of ["stream_truncated", "stream_deleted"]) {
        const store = await open();
        // More than a page, and more than a server sends before the reader takes an event.
        const data = "x".repeat(900_000);
        for (const _ of count(1, 7)) await store.append("s", { type: "A", data });
        const forget = () =>
          code === "stream_deleted" ? store.delete("s") : store.truncate("s", { before: 7 });
        const read = await readOver(store, direction, forget);
        const whole = direction === "forward" ? count(1, 7) : count(1, 7).toReversed();
        same(read, typeof read === "string" ? code : whole, `${direction}, ${code}`);
      }
    }
  },

  async "an invalid stream id is refused"(open) {
    const store = await open();
    for (const stream of ["", "a\nb", "x".repeat(201)]) {
      same(await refusal(store.verify(stream)), ["invalid_stream_id", "stream"]);
      same(await refusal(store.exportCommits(stream).next()), ["invalid_stream_id", "stream"]);
      same(await refusal(store.exportCommits(stream).next()), ["invalid_stream_id", "stream"]);
      same(await refusal(store.delete(stream)), ["invalid_stream_id", "stream"]);
    }
  },

  async "the head of a stream has its versions, its time, and whether it was deleted"(open) {
    const store = await filled(open);
    const [last] = await all(store.read("s", { direction: "backward", limit: 1 }));
    const head = { stream: "s", version: 5, firstVersion: 1, time: last?.time, deleted: false };
    same(await store.head("s"), head);
    await store.truncate("s", { before: 3 });
    same(await store.head("s"), { ...head, firstVersion: 3 });
    // The version is also known when no event is left.
    await store.truncate("s", { before: 6 });
    same(await store.head("s"), { ...head, firstVersion: 6 });
    await store.delete("s");
    same(await store.head("s"), { ...head, firstVersion: 6, deleted: true });
    const never = { stream: "never", version: 0, firstVersion: 1, time: null, deleted: false };
    same(await store.head("never"), never);
    await store.delete("never");
    same(await store.head("never"), { ...never, deleted: true });
    same(await refusal(store.head("")), ["invalid_stream_id", "stream"]);
  },
};
