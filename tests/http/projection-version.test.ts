/** A projection rebuilds itself when its version changes. */

import assert from "node:assert/strict";
import { test } from "node:test";
import { fileURLToPath } from "node:url";

import { numbered, useApiForEach } from "../support/api.ts";
import { settled } from "../support/consumers.ts";
import { until } from "../support/timers.ts";

const worker = (file: string) => fileURLToPath(new URL(`../support/${file}`, import.meta.url));
const EURO = worker("in-euro-worker.ts");
const CENTS = worker("in-cents-worker.ts");
const api = useApiForEach({ entry: EURO });

const sum = async () => (await api.request("/v1/projections/sums/documents/count-1")).json;

test("a read after a deployment begins the rebuild, and a rollback makes the old documents again", async () => {
  await api.appended("count-1", numbered(3));
  await settled(api, "sums");
  assert.equal(await sum(), 6);
  for (const [entry, before, after] of [
    [CENTS, 6, 600],
    [EURO, 600, 6],
  ] as const) {
    await api.server.restart({ entry });
    const seen = [await sum()];
    assert.equal(seen[0], before, "the old documents until the new ones are there");
    const last = await until(sum, (found) => {
      seen.push(found);
      return found !== before;
    });
    assert.equal(last, after, `no other document is ever seen: ${seen}`);
    const { rebuild, status } = (await api.request("/v1/consumers/sums")).json;
    assert.deepEqual([rebuild, status], [null, "running"]);
  }
});

test("an event after a deployment begins the rebuild, also when workerd was killed", async () => {
  await api.appended("count-1", numbered(3));
  await settled(api, "sums");
  await api.server.kill();
  await api.server.restart({ entry: CENTS });
  await api.appended("count-1", numbered(1, 4));
  assert.equal(await until(sum, (found) => found === 1000), 1000);
  await settled(api, "sums");
  await api.server.kill();
  await api.server.restart({ entry: CENTS });
  await settled(api, "sums");
  assert.equal(await sum(), 1000);
});
