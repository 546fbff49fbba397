// What two stores over one database do, each of which writes to it.

import type { Store } from "../store/store.js";
import { all, type Behaviours, count, refusal, same } from "./assert.js";
import { increment } from "./competing.js";
import type { OpenAnother, OpenStore } from "./index.js";

const WRITERS = 20;

const versionsOf = async (store: Store) =>
  (await all(store.read("s"))).map(({ version }) => version);

/** The behaviours, for stores over whose database `another` opens a further one. */
export function sharing(another: OpenAnother): Behaviours {
  const two = async (open: OpenStore): Promise<[Store, Store]> => {
    const store = await open();
    return [store, await another(store)];
  };
  return {
    async "of appends by two stores that expect the same version, one goes ahead"(open) {
      const stores = await two(open);
      for (const version of count(0, 4)) {
        const tries = count(1, WRITERS).flatMap(() =>
          stores.map((store) => store.append("s", { type: "A" }, { expectedVersion: version })),
        );
        const results = await Promise.allSettled(tries);
        const won = results.filter(({ status }) => status === "fulfilled");
        same(won.length, 1);
        for (const result of results) {
          if (result.status === "rejected") same(result.reason.code, "wrong_expected_version");
        }
      }
      for (const store of stores) same(await versionsOf(store), count(1, 5));
    },

    async "two stores that read and try again after a conflict lose nothing"(open) {
      const stores = await two(open);
      await Promise.all(stores.map((store) => increment(store, 10)));
      for (const store of stores) {
        same(
          (await all(store.read("s"))).map(({ data }) => data),
          count(1, 20),
        );
        same((await store.verify("s")).intact, true);
      }
    },

    async "an append under a key happens once, whichever store it is sent to"(open) {
      const stores = await two(open);
      for (const store of stores) await store.append("s", { type: "Before" });
      const event = { type: "A", data: 1 };
      const tries = count(1, WRITERS).flatMap(() =>
        stores.map((store) => store.append("s", event, { idempotencyKey: "k" })),
      );
      const results = await Promise.all(tries);
      same(results.filter(({ replayed }) => !replayed).length, 1);
      same(
        results.map(({ version }) => version),
        results.map(() => 3),
      );
      for (const store of stores) same(await versionsOf(store), [1, 2, 3]);
    },

    async "what one store appends, the other follows"(open) {
      const [store, other] = await two(open);
      const following = other.subscribe("s");
      for (const version of count(1, 5)) {
        const next = following.next();
        await (version % 2 === 0 ? other : store).append("s", { type: "A" });
        same((await next).value?.version, version);
      }
      await following.return();
    },

    async "what one store forgets, the other does not show, and does not write to"(open) {
      const [store, other] = await two(open);
      await store.append("s", [{ type: "A" }]);
      await other.append("s", [{ type: "B" }]);
      await store.truncate("s", { before: 2 });
      same(await versionsOf(other), [2]);
      same((await other.append("s", { type: "C" })).version, 3);
      await other.delete("s");
      same((await refusal(store.append("s", { type: "D" })))[0], "stream_deleted");
      for (const sight of [store, other]) {
        same((await refusal(sight.read("s").next()))[0], "stream_deleted");
      }
    },
  };
}
