// The engine is cut off during its work because the stack has no room. Then it acknowledges nothing that it cannot store.

import assert from "node:assert/strict";
import { after, test } from "node:test";

import type { Documents } from "sillok";

import { all, thrown } from "./check.ts";
import { Files } from "./on-file.ts";
import { useScratch } from "./scratch.ts";

const scratch = useScratch();
const files = new Files();
after(() => files.remove());

/** Never returns. It ends only because the stack has no room. */
function removeForever(documents: Documents, count = 0): void {
  documents.delete(`key-${count}`);
  removeForever(documents, count + 1);
}

for (const place of ["in memory", "in a file"]) {
  test(`a handler that overflows the stack has failed like one that throws, ${place}`, async () => {
    const { EventGateway, EventStore, projection, reactor } = await scratch.sillok();
    const store =
      place === "in a file" ? EventStore.open(`${files.folder}/overflow.db`) : new EventStore();
    const policy = { attempts: 2, firstDelay: 1, longestDelay: 1 };
    const gateway = new EventGateway(store)
      .register(
        projection("within", {
          ...policy,
          on({ type }, documents) {
            documents.put(type, type);
            if (type === "Overflow") removeForever(documents);
          },
        }),
      )
      .register(
        reactor("beside", {
          ...policy,
          on({ type }) {
            const forever = (count: number): number => forever(count + 1) + 1;
            if (type === "Overflow") forever(0);
          },
        }),
      );
    for (const type of ["First", "Overflow", "Last"]) await store.append("s", { type });
    await gateway.catchUp();
    for (const name of ["within", "beside"]) {
      const letters = await all(gateway.consumer(name).deadLetters());
      assert.deepEqual(
        letters.map(({ attempts, event }) => [attempts, event.type]),
        [[2, "Overflow"]],
        name,
      );
      assert.match(letters[0]?.error ?? "", /^RangeError: Maximum call stack size exceeded/, name);
    }
    const documents = await all(gateway.projection("within").documents());
    assert.deepEqual(
      documents.map(({ key }) => key),
      ["First", "Last"],
      "what the failed attempts did is taken back",
    );
    assert.equal(await store.append("s", { type: "Goes on" }).then(({ version }) => version), 4);
    store.close();
  });
}

test("a store that was cut off says so, and others go on", async () => {
  const { EventStore } = await scratch.sillok();
  const [store, other] = [new EventStore(), new EventStore()];
  const saveForever = (count: number): void => {
    store.saveEvent({ aggregateId: count, type: "Saved" });
    saveForever(count + 1);
  };
  assert.ok(thrown(() => saveForever(0)) instanceof Error);
  await store.append("s", { type: "Late" }).catch((error) => {
    assert.equal(error.code, "storage_failed", String(error));
    assert.match(String(error), /cut off/);
  });
  await other.append("s", { type: "Elsewhere" });
  assert.equal((await all(other.read("s"))).length, 1);
  for (const closed of [store, store]) closed.close();
});
