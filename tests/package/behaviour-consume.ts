import type { EventStore } from "sillok";

import type { Behaviours, Sillok } from "./behaviour.ts";
import { all, rejection, same, thrown } from "./check.ts";

export type Counted = { type: "Counted"; data: { by: number } };

/** A policy that gives up soon. */
export const HASTY = { attempts: 2, firstDelay: 1, longestDelay: 1 } as const;

/** A projection with the sum of each stream. Numbers in `failing` fail. */
export function sums({ projection }: Sillok, failing: Set<number> = new Set(), options = {}) {
  return projection<Counted, number>("sums", {
    ...options,
    on: {
      Counted({ stream, data }, documents) {
        documents.put(stream, (documents.get(stream) ?? 0) + data.by);
        if (failing.has(data.by)) throw new Error(`${data.by} fails`);
      },
    },
  });
}

/** Appends events with these numbers. */
export async function count(
  store: EventStore,
  stream: string,
  ...numbers: number[]
): Promise<number> {
  const events = numbers.map((by) => ({ type: "Counted" as const, data: { by } }));
  return (await store.append<Counted>(stream, events)).version;
}

/** The code with which the promise rejects. */
export async function codeOf(promise: Promise<unknown>): Promise<unknown> {
  return ((await rejection(promise)) as { code?: unknown }).code;
}

/** Projections over a store in the same program, and their handling of failures. */
export const consuming: Behaviours = {
  async "documents are the fold over the events, also with requests in between"(sillok) {
    const store = new sillok.EventStore();
    const counts = sums(sillok);
    const gateway = new sillok.EventGateway(store).register(counts);
    const documents = gateway.projection(counts);
    const folded: Record<string, number> = {};
    for (let round = 0; round < 30; round += 1) {
      const stream = `s-${(round * 7) % 5}`;
      await count(store, stream, round, 2 * round);
      folded[stream] = (folded[stream] ?? 0) + 3 * round;
      if (round % 4 === 0) await gateway.catchUp();
    }
    await store.append("s-9", { type: "Ignored" });
    await gateway.catchUp();
    const found = await all(documents.documents());
    same(Object.fromEntries(found.map(({ key, document }) => [key, document])), folded);
    same(
      found.map(({ key }) => key),
      Object.keys(folded).toSorted(),
      "in order",
    );
    same(
      (await all(documents.documents({ prefix: "s-", after: "s-1", limit: 2 }))).map(
        ({ key }) => key,
      ),
      ["s-2", "s-3"],
    );
    same(await documents.get("s-none"), undefined);
    const { status, lag, checkpoint, deadLetters } = await documents.status();
    same([status, lag, checkpoint, deadLetters], ["running", 0, "61", 0]);
  },

  async "documents are any JSON, and copies"(sillok) {
    const store = new sillok.EventStore();
    const seen: unknown[] = [];
    const keeper = sillok.projection("keeper", {
      on({ data }, documents) {
        documents.put("d", data);
        const document = documents.get("d");
        seen.push(document);
        if (Array.isArray(document)) document.push("altered");
        if (data === null) documents.delete("d");
      },
    });
    const gateway = new sillok.EventGateway(store).register(keeper);
    for (const data of [0, "ü", [1, { a: null }], { "": -0 }, false]) {
      await store.append("s", { type: "A", data });
      await gateway.catchUp();
      same(await gateway.projection(keeper).get("d"), data);
    }
    await store.append("s", { type: "A", data: null });
    await gateway.catchUp();
    same([await gateway.projection(keeper).get("d"), seen.at(-1)], [undefined, null]);
  },

  async "documents are the handler's only until it returns"(sillok) {
    const store = new sillok.EventStore();
    let kept: { get(key: string): unknown; put(key: string, document: number): void } | undefined;
    const keeping = sillok.projection<Counted, number>("keeping", {
      on: (_event, documents) => void (kept = documents),
    });
    const gateway = new sillok.EventGateway(store).register(keeping);
    await count(store, "s-1", 1);
    await gateway.catchUp();
    for (const late of [() => kept?.get("a"), () => kept?.put("a", 1)]) {
      same((thrown(late) as { code?: unknown }).code, "documents_over");
    }
    same(await all(gateway.projection(keeping).documents()), []);
  },

  async "a reader waits for what it has written"(sillok) {
    const store = new sillok.EventStore();
    const counts = sums(sillok, new Set([666]), { onFailure: "stop", attempts: 1 });
    const documents = new sillok.EventGateway(store).register(counts).projection(counts);
    await count(store, "s-1", 1, 2);
    same(await documents.get("s-1"), undefined, "nobody runs it");
    same(await documents.get("s-1", { min: { stream: "s-1", version: 2 } }), 3);
    const later = documents.get("s-1", { min: { stream: "s-1", version: 3 } });
    const min = await store.append<Counted>("s-1", { type: "Counted", data: { by: 4 } });
    same([await later, await documents.get("s-1", { min })], [7, 7]);
    const stop = new AbortController();
    const never = documents.get("s-1", {
      min: { stream: "s-1", version: 99 },
      signal: stop.signal,
    });
    stop.abort();
    same(await codeOf(never), "projection_behind");
    const poison = await store.append<Counted>("s-1", { type: "Counted", data: { by: 666 } });
    same(await codeOf(documents.get("s-1", { min: poison })), "projection_behind");
  },

  async "a failing event is given up, becomes a dead letter and can be attempted again"(sillok) {
    const [store, failing] = [new sillok.EventStore(), new Set([2])];
    const counts = sums(sillok, failing, HASTY);
    const gateway = new sillok.EventGateway(store).register(counts);
    const documents = gateway.projection(counts);
    await count(store, "s-1", 1, 2, 4);
    await gateway.catchUp();
    same(await documents.get("s-1"), 5, "without what failed");
    const [letter, ...others] = await all(documents.deadLetters());
    same(others, []);
    same([letter?.reason, letter?.error, letter?.attempts], ["failed", "Error: 2 fails", 2]);
    same([letter?.event.stream, letter?.event.version, letter?.event.position], ["s-1", 2, 2]);
    same(letter?.event.data, { by: 2 });
    const { deadLetters, lastError, lag } = await documents.status();
    same([deadLetters, lastError?.message, lag], [1, "Error: 2 fails", 0]);
    failing.clear();
    await documents.retry();
    await gateway.catchUp();
    same([await documents.get("s-1"), await all(documents.deadLetters())], [7, []]);
  },

  async "dead letters are discarded, one or all"(sillok) {
    const store = new sillok.EventStore();
    const counts = sums(sillok, new Set([1, 2, 3]), { ...HASTY, attempts: 1 });
    const gateway = new sillok.EventGateway(store).register(counts);
    const consumer = gateway.consumer(counts);
    const ids = async () => (await all(consumer.deadLetters())).map(({ id }) => id);
    await count(store, "s-1", 1, 2, 3);
    await gateway.catchUp();
    same(
      [await consumer.discard(2), await consumer.discard(2), await ids()],
      [true, false, [1, 3]],
    );
    same([await consumer.discard(), await consumer.discard(), await ids()], [true, false, []]);
    for (const id of [-1, 1.5, NaN, "1"]) {
      const refused = await rejection(consumer.discard(id as number));
      const { code, field } = refused as { code?: string; field?: string };
      same([code, field], ["invalid_parameter", "id"]);
    }
  },

  async "a held stream keeps its order while others go on"(sillok) {
    const [store, handled] = [new sillok.EventStore(), [] as string[]];
    let broken = true;
    const holder = sillok.reactor<Counted>("holder", {
      ...HASTY,
      onFailure: "hold-stream",
      on({ stream, version }) {
        if (broken && stream === "s-1" && version === 1) throw new TypeError("not yet");
        handled.push(`${stream}@${version}`);
      },
    });
    const gateway = new sillok.EventGateway(store).register(holder);
    await count(store, "s-1", 1, 1);
    await count(store, "s-2", 1);
    await gateway.catchUp();
    same(handled, ["s-2@1"]);
    const letters = await all(gateway.consumer(holder).deadLetters());
    same(
      letters.map(({ reason, error }) => [reason, error]),
      [
        ["failed", "TypeError: not yet"],
        ["held", ""],
      ],
    );
    broken = false;
    await gateway.consumer("holder").retry();
    await gateway.catchUp();
    same(handled, ["s-2@1", "s-1@1", "s-1@2"]);
  },

  async "a stopped consumer skips nothing, and continues when it is resumed"(sillok) {
    const [store, failing] = [new sillok.EventStore(), new Set([2])];
    const counts = sums(sillok, failing, { ...HASTY, onFailure: "stop" });
    const gateway = new sillok.EventGateway(store).register(counts);
    const documents = gateway.projection(counts);
    await count(store, "s-1", 1, 2, 4);
    await gateway.catchUp();
    const { status, lag, failures } = await documents.status();
    same([status, lag, failures, await documents.get("s-1")], ["stopped", 2, 2, 1]);
    failing.clear();
    await gateway.catchUp();
    same(await documents.get("s-1"), 1, "it was not told to go on");
    await documents.resume();
    await gateway.catchUp();
    same([await documents.get("s-1"), (await documents.status()).status], [7, "running"]);
  },

  async "one that is paused keeps its place"(sillok) {
    const store = new sillok.EventStore();
    const counts = sums(sillok);
    const gateway = new sillok.EventGateway(store).register(counts);
    await count(store, "s-1", 1);
    await gateway.catchUp();
    await gateway.consumer(counts).pause();
    await count(store, "s-1", 2);
    await gateway.catchUp();
    const documents = gateway.projection(counts);
    const { status, lag } = await documents.status();
    same([await documents.get("s-1"), status, lag], [1, "paused", 1]);
    await documents.resume();
    await gateway.catchUp();
    same(await documents.get("s-1"), 3);
  },

  async "documents are built anew by another definition"(sillok) {
    const store = new sillok.EventStore();
    await count(store, "s-1", 1, 2);
    await new sillok.EventGateway(store).register(sums(sillok)).catchUp();
    const twice = sillok.projection<Counted, number>("sums", {
      on: {
        Counted: ({ stream, data }, documents) =>
          documents.put(stream, (documents.get(stream) ?? 0) + 2 * data.by),
      },
    });
    const gateway = new sillok.EventGateway(store).register(twice);
    const documents = gateway.projection(twice);
    await gateway.catchUp();
    same(await documents.get("s-1"), 3, "what was done stays done");
    await documents.rebuild();
    same(await documents.get("s-1"), 3, "until the new documents have come as far");
    await count(store, "s-1", 4);
    await gateway.catchUp();
    same([await documents.get("s-1"), (await documents.status()).rebuild], [14, null]);
  },

  async "another version makes the documents anew, beside the old ones"(sillok) {
    const store = new sillok.EventStore();
    await count(store, "s-1", 1, 2);
    const times = (factor: number, version?: number) =>
      sillok.projection<Counted, number>("sums", {
        version,
        on: {
          Counted: ({ stream, data }, documents) =>
            documents.put(stream, (documents.get(stream) ?? 0) + factor * data.by),
        },
      });
    let before: number | undefined;
    for (const [factor, version] of [[1], [2, 2], [3, 7], [1, 1]] as const) {
      const sums = times(factor, version);
      const gateway = new sillok.EventGateway(store).register(sums);
      same(
        await gateway.projection(sums).get("s-1"),
        before,
        "the old one until the new one is made",
      );
      await gateway.catchUp();
      const { rebuild, deadLetters } = await gateway.projection(sums).status();
      before = 3 * factor;
      same([await gateway.projection(sums).get("s-1"), rebuild, deadLetters], [before, null, 0]);
    }
    const again = new sillok.EventGateway(store).register(times(5, 1));
    await again.catchUp();
    same(await again.projection("sums").get("s-1"), 3, "the same version changes nothing");
  },
};
