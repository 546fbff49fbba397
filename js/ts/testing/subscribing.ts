import type { RecordedEvent } from "../store/events.js";
import type { SubscribeOptions } from "../store/options.js";
import type { Store } from "../store/store.js";
import { all, type Behaviours, count, refusal, same } from "./assert.js";

/** The events of a subscription up to this version. */
async function followed(
  store: Store,
  last: number,
  options?: SubscribeOptions,
): Promise<RecordedEvent[]> {
  const seen: RecordedEvent[] = [];
  for await (const event of store.subscribe("s", options)) {
    seen.push(event);
    if (event.version >= last) break;
  }
  return seen;
}

async function versions(store: Store, last: number, options?: SubscribeOptions): Promise<number[]> {
  return (await followed(store, last, options)).map(({ version }) => version);
}

/** Appends this many events, of the types T0 and T1 in turn. */
async function fill(store: Store, events: number): Promise<void> {
  const batch = count(1, events).map((version) => ({ type: `T${version % 2}`, data: version }));
  await store.append("s", batch);
}

export const subscribing: Behaviours = {
  async "a subscription returns the existing events after a version, then each new one"(open) {
    const store = await open();
    // A browser has at most six connections to a server by HTTP/1.1.
    const waiting = versions(store, 60);
    await fill(store, 50);
    const following = [
      versions(store, 60, { after: 0 }),
      versions(store, 60, { after: 45 }),
      versions(store, 60, { after: 55 }),
    ];
    const typed = versions(store, 59, { type: "T1" });
    for (let version = 51; version <= 60; version += 1) {
      await store.append("s", { type: `T${version % 2}` });
    }
    same(await waiting, count(1, 60));
    const expected = [count(1, 60), count(46, 60), count(56, 60)];
    same(await Promise.all(following), expected);
    const odd = count(1, 60).filter((version) => version % 2 === 1);
    same(await typed, odd);
  },

  async "a subscription says once when the caller has every event that existed"(open) {
    const store = await open();
    await fill(store, 3);
    for (const options of [{}, { after: 1 }, { type: "T1" }, { after: 3 }]) {
      const said: string[] = [];
      let caughtUp = (): void => {};
      const isCaughtUp = new Promise<void>((resolve) => (caughtUp = resolve));
      const onCaughtUp = () => {
        said.push("caught up");
        caughtUp();
      };
      const signal = new AbortController();
      const following = (async () => {
        for await (const { version } of store.subscribe("s", {
          ...options,
          onCaughtUp,
          signal: signal.signal,
        })) {
          said.push(`${version}`);
          if (said.at(-2) === "caught up") break;
        }
      })();
      await isCaughtUp;
      const { version } = await store.append("s", { type: "T1" });
      await following;
      const { after = 0 } = options as { after?: number };
      const isWanted = (other: number) => !("type" in options) || other % 2 === 1 || other > 3;
      const before = count(after + 1, version - 1)
        .filter(isWanted)
        .map(String);
      same(said, [...before, "caught up", `${version}`], JSON.stringify(options));
    }
  },

  async "a subscription to all streams says when the caller has every event that existed"(open) {
    const store = await open();
    await fill(store, 2);
    const said: string[] = [];
    const signal = new AbortController();
    const onCaughtUp = () => {
      said.push("caught up");
      signal.abort();
    };
    const options = { types: ["T0", "T1"], onCaughtUp, signal: signal.signal };
    for await (const { stream, version } of store.subscribe(options)) {
      if (stream === "s") said.push(`${version}`);
    }
    same(said, ["1", "2", "caught up"]);
  },

  async "what is called after catching up must be a function, and its error ends the subscription"(
    open,
  ) {
    const store = await open();
    const wrong = { onCaughtUp: 5 } as object;
    const refused = await refusal(all(store.subscribe("s", wrong)));
    same(refused, ["invalid_parameter", "onCaughtUp"]);
    const broken = new Error("it breaks");
    const onCaughtUp = () => {
      throw broken;
    };
    const thrown = await all(store.subscribe("s", { onCaughtUp })).catch((error: unknown) => error);
    same(thrown === broken, true);
  },

  async "a subscription returns events that are appended between two reads"(open) {
    const store = await open();
    await fill(store, 1);
    const seen: number[] = [];
    for await (const { version } of store.subscribe("s")) {
      seen.push(version);
      if (version === 9) break;
      if (version % 2 === 1) await fill(store, 2);
    }
    same(seen, count(1, 9));
  },

  async "many subscriptions to many writers return all events, once and in order"(open) {
    const store = await open();
    const following = count(1, 4).map((after) => versions(store, 90, { after }));
    const batches = count(1, 30).map(() =>
      store.append("s", [{ type: "A" }, { type: "B" }, { type: "C" }]),
    );
    await Promise.all(batches);
    const expected = count(1, 4).map((after) => count(after + 1, 90));
    same(await Promise.all(following), expected);
  },

  async "a subscription misses no event between a long history and new events"(open) {
    const store = await open();
    for (let done = 0; done < 3; done += 1) await fill(store, 1000);
    const following = [versions(store, 3010), versions(store, 3010, { after: 2990 })];
    for (let done = 0; done < 10; done += 1) await fill(store, 1);
    const expected = [count(1, 3010), count(2991, 3010)];
    same(await Promise.all(following), expected);
  },

  async "a subscription returns large events whole"(open) {
    const store = await open();
    const data = "x".repeat(900_000);
    for (let done = 0; done < 6; done += 1) await store.append("s", { type: "A", data });
    const events = await followed(store, 6);
    same(
      events.map(({ version }) => version),
      count(1, 6),
    );
    same(
      events.every((event) => event.data === data),
      true,
    );
  },

  async "a subscription and a read return the same events"(open) {
    const store = await open();
    const data = 'é\n\r\u2028 실록 "😀"\ndata: x\n\n';
    await store.append("s", [
      { type: "A", data, metadata: { m: [1] }, id: "my-id" },
      { type: "B" },
    ]);
    same(await followed(store, 2), await all(store.read("s")));
  },

  async "a subscription to one type finds it behind many events of other types"(open) {
    const store = await open();
    for (let done = 0; done < 3; done += 1) {
      await store.append("s", Array(1000).fill({ type: "Other" }));
    }
    const following = versions(store, 3002, { type: "Wanted" });
    await store.append("s", { type: "Other" });
    await store.append("s", { type: "Wanted" });
    same(await following, [3002]);
  },

  async "a subscription waits for a version that the stream does not have yet"(open) {
    const store = await open();
    const following = versions(store, 6, { after: 4 });
    for (let done = 0; done < 6; done += 1) await fill(store, 1);
    same(await following, [5, 6]);
  },

  async "a subscription returns a repeated append once"(open) {
    const store = await open();
    const following = versions(store, 2);
    const options = { idempotencyKey: "k" };
    for (let time = 0; time < 3; time += 1) await store.append("s", { type: "A" }, options);
    await store.append("s", { type: "B" });
    same(await following, [1, 2]);
  },

  async "a subscription starts at the first event after a truncation"(open) {
    const store = await open();
    await fill(store, 5);
    await store.truncate("s", { before: 4 });
    same(await versions(store, 5), [4, 5]);
    await store.truncate("s", { before: 6 });
    const following = versions(store, 6);
    await fill(store, 1);
    same(await following, [6]);
  },

  async "a subscription ignores other streams"(open) {
    const store = await open();
    const following = versions(store, 2);
    for (const stream of ["t", "s-1", "S"]) await store.append(stream, { type: "Other" });
    await fill(store, 1);
    await store.delete("t");
    await fill(store, 1);
    same(await following, [1, 2]);
  },

  async "a subscription ends by the signal, while it waits and while there are events"(open) {
    const store = await open();
    await fill(store, 3);
    same(await all(store.subscribe("s", { signal: AbortSignal.abort() })), []);
    for (const last of [2, 3]) {
      const stop = new AbortController();
      const seen: number[] = [];
      for await (const { version } of store.subscribe("s", { signal: stop.signal })) {
        seen.push(version);
        if (version === last) stop.abort();
      }
      same(seen, count(1, last));
    }
    const stop = new AbortController();
    const following = store.subscribe("s", { after: 3, signal: stop.signal });
    const next = following.next();
    stop.abort();
    same(await next, { done: true, value: undefined });
    same(await following.next(), { done: true, value: undefined });
  },

  async "a subscription ends by return, also while it waits, and others continue"(open) {
    const store = await open();
    const [one, other] = [store.subscribe("s"), store.subscribe("s")];
    const [next, others] = [one.next(), other.next()];
    same(await one.return(undefined), { done: true, value: undefined });
    same(await next, { done: true, value: undefined });
    same(await one.next(), { done: true, value: undefined });
    await fill(store, 1);
    same((await others).value?.version, 1);
    await other.return(undefined);
    const never = store.subscribe("s");
    await never.return(undefined);
    same(await never.next(), { done: true, value: undefined });
  },

  async "a deletion of the stream ends a subscription with an error"(open) {
    const store = await open();
    await fill(store, 2);
    const following = store.subscribe("s");
    await following.next();
    await following.next();
    const refused = refusal(following.next());
    await store.delete("s");
    same(await refused, ["stream_deleted", undefined]);
    same(await following.next(), { done: true, value: undefined });
    for (const after of [0, 1, 7]) {
      const again = store.subscribe("s", { after }).next();
      same(await refusal(again), ["stream_deleted", undefined], `after ${after}`);
    }
  },

  async "an invalid option of a subscription is refused at the first event"(open) {
    const store = await open();
    await fill(store, 1);
    const subscribe = (options: unknown) => store.subscribe("s", options as never).next();
    for (const bad of [null, 5]) {
      same(await refusal(subscribe(bad)), ["invalid_parameter", "options"]);
    }
    for (const after of [-1, 1.5, NaN, "1", null, Number.MAX_SAFE_INTEGER]) {
      const refused = await refusal(subscribe({ after }));
      same(refused, ["invalid_parameter", "after"], String(after));
    }
    same(await refusal(subscribe({ from: 1 })), ["invalid_parameter", "from"]);
    same(await refusal(subscribe({ signal: {} })), ["invalid_parameter", "signal"]);
    for (const type of ["", "a\nb", "x".repeat(201), "\ud800", 5]) {
      same(await refusal(subscribe({ type })), ["invalid_event_type", "type"], String(type));
    }
  },
};
