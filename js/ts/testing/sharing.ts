// The behaviours of two stores that write to one database.

import type { Store } from "../store/store.js";
import { all, type Behaviours, count, refusal, same } from "./assert.js";
import { increment } from "./competing.js";
import type { OpenAnother, OpenStore } from "./index.js";

const WRITERS = 20;

const versionsOf = async (store: Store) =>
  (await all(store.read("s"))).map(({ version }) => version);

/** The behaviours. `another` opens a second store over the database of the first. */
export function sharing(another: OpenAnother): Behaviours {
  const two = async (open: OpenStore): Promise<[Store, Store]> => {
    const store = await open();
    return [store, await another(store)];
  };
  return {
    async "of appends by two stores that expect the same version, one succeeds"(open) {
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

    async "two stores that read and retry after a conflict lose nothing"(open) {
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

    async "an append under a key takes effect once, through either store"(open) {
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

    async "one store follows the appends of the other"(open) {
      const [store, other] = await two(open);
      const following = other.subscribe("s");
      for (const version of count(1, 5)) {
        const next = following.next();
        await (version % 2 === 0 ? other : store).append("s", { type: "A" });
        same((await next).value?.version, version);
      }
      await following.return();
    },

    async "one store neither reads nor changes what the other has forgotten"(open) {
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
