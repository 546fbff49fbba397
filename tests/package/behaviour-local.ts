import type { Behaviours } from "./behaviour.ts";
import { same } from "./check.ts";

/** What a store has that is in this very program, in memory or on a file. */
export const local: Behaviours = {
  async "what is saved is followed too"({ EventStore }) {
    const store = new EventStore();
    const following = store.subscribe("1");
    const next = following.next();
    store.saveEvent({ aggregateId: 1, type: "Opened" });
    same((await next).value?.data, { aggregateId: 1, type: "Opened" });
    await following.return();
  },

  async "a closed store refuses everything"(sillok) {
    const store = new sillok.EventStore();
    await store.append("s", { type: "A" });
    const reading = store.read("s");
    const following = store.subscribe("s");
    await following.next();
    const calls = [following.next()] as Promise<unknown>[];
    for (let time = 0; time < 2; time += 1) same(store.close(), undefined);
    calls.push(
      store.append("s", { type: "A" }),
      reading.next(),
      store.subscribe("s").next(),
      store.verify("s"),
      store.truncate("s", { before: 1 }),
      store.delete("s"),
    );
    for (const refused of await Promise.allSettled(calls)) {
      if (refused.status === "fulfilled") throw new Error("it was not refused");
      same(refused.reason.code, "storage_failed");
      same(String(refused.reason), "SillokError: the store was closed");
    }
  },
};
