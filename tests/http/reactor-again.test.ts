/** A reactor's handler runs again and comes to another decision. docs/guides/delivery.md has the rule. */

import assert from "node:assert/strict";
import { test } from "node:test";
import { fileURLToPath } from "node:url";

import { useApi } from "../support/api.ts";
import { AGAIN, askedOf, REUSED } from "../support/again.ts";
import { settled } from "../support/consumers.ts";

const api = useApi({ entry: fileURLToPath(import.meta.resolve("../support/again-worker.ts")) });

const dataOf = async (stream: string): Promise<any[]> =>
  (await api.read(stream)).json.events.map(({ data }: any) => data);

for (const [place, [name, again]] of Object.entries(AGAIN).entries()) {
  test(`where a handler runs again, ${name}`, async () => {
    await api.appended(`ask-${place}`, askedOf(again, place));
    await settled(api, "acting");
    assert.deepEqual(await dataOf(`outcomes-${place}`), [again.outcomes]);
    for (const [stream, numbers] of Object.entries(again.streams)) {
      const found = (await dataOf(`${stream}-${place}`)).map(({ n }) => n);
      assert.deepEqual(found, numbers, stream);
    }
  });
}

test("a handler that ends with the refusal of another command gives its event up at once", async () => {
  await api.appended("ask-reused", askedOf(REUSED, 1000, true));
  await settled(api, "acting");
  const [letter, ...more] = (await api.request("/v1/consumers/acting/dead-letters")).json
    .deadLetters;
  assert.deepEqual([letter.event.stream, letter.attempts, more], ["ask-reused", 2, []]);
  assert.match(letter.error, /another command/);
});
