/** A handler in JavaScript that overflows the stack has failed, like one that throws. The engine still works. */

import assert from "node:assert/strict";
import { test } from "node:test";
import { fileURLToPath } from "node:url";

import { freshStream, useApi } from "../support/api.ts";
import { settled } from "../support/consumers.ts";

const entry = fileURLToPath(import.meta.resolve("../support/overflow-worker.ts"));
const api = useApi({ entry });

test("a stack that overflows is a failed attempt, and in the end a dead letter", async () => {
  const stream = freshStream("count");
  const events = ["Counted", "Overflow", "Counted"].map((type, n) => ({ type, data: { n } }));
  await api.appended(stream, events);
  for (const name of ["counts", "plain", "late"]) {
    const { lastError } = await settled(
      api,
      name,
      ({ lag, deadLetters }) => lag + deadLetters === 1,
    );
    assert.match(lastError.message, /^RangeError: Maximum call stack size exceeded/, name);
    const { deadLetters } = (await api.request(`/v1/consumers/${name}/dead-letters`)).json;
    assert.deepEqual(
      deadLetters.map(({ attempts, event }: any) => [attempts, event.type]),
      [[2, "Overflow"]],
      name,
    );
  }
  const document = await api.request(`/v1/projections/counts/documents/${stream}`);
  assert.equal(document.text, "2", "what the failed attempt did is taken back");
  const { deadLetters, lastError } = await settled(api, "beside");
  assert.deepEqual([deadLetters, lastError], [0, null]);
  assert.equal(await api.version(stream.replace("count", "echo")), 3);
});
