// An engine that is cut off amid its work, because the stack has no room left, acknowledges nothing that it cannot keep.

import assert from "node:assert/strict";
import { after, test } from "node:test";

import type { Documents } from "sillok";

import { all, thrown } from "./check.ts";
import { Files } from "./on-file.ts";
import { useScratch } from "./scratch.ts";

const scratch = useScratch();
const files = new Files();
after(() => files.remove());

/** Never ends, but for want of room on the stack. */
function removeForever(documents: Documents, count = 0): void {
  documents.delete(`key-${count}`);
  removeForever(documents, count + 1);
}

test("a projection's handler that calls itself without end loses nothing that was acknowledged", async () => {
  const { EventGateway, EventStore, isSillokError, projection } = await scratch.sillok();
  const path = `${files.folder}/projected.db`;
  const store = EventStore.open(path);
  await store.append("s", { type: "Kept" });
  const endless = projection("endless", {
    attempts: 1,
    on: (_, documents) => removeForever(documents),
  });
  await new EventGateway(store)
    .register(endless)
    .catchUp()
    .catch((error) => assert.ok(isSillokError(error), String(error)));
  const acknowledged = ["Kept"];
  for (const type of ["Second", "Third"]) {
    await store.append("s", { type }).then(
      () => acknowledged.push(type),
      (error) => assert.equal(error.code, "storage_failed", String(error)),
    );
  }
  store.close();
  const reopened = EventStore.open(path);
  assert.deepEqual(
    (await all(reopened.read("s"))).map(({ type }) => type),
    acknowledged,
  );
  await reopened.append("s", { type: "Goes on" });
  reopened.close();
});

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
