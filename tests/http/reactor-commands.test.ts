/** What a reactor appends has its number, whatever becomes of what it appended before. */

import assert from "node:assert/strict";
import { test } from "node:test";
import { fileURLToPath } from "node:url";

import { useApi } from "../support/api.ts";
import { settled } from "../support/consumers.ts";
import { told } from "../support/telling.ts";

const api = useApi({ entry: fileURLToPath(import.meta.resolve("../support/telling-worker.ts")) });

test("an append that cannot be sent is counted too: those after it take effect once, and it itself the next time", async () => {
  await api.appended("say-1", { type: "Said" });
  await settled(api, "telling");
  const found = await Promise.all(told.map(async (stream) => (await api.read(stream)).json.events));
  assert.deepEqual(
    found.map((events) => events.map(({ data }: any) => data.place)),
    [[1], [2], [3], [4]],
  );
});
