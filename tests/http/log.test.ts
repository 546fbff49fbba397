/** A Worker in which nothing fails logs nothing. */

import assert from "node:assert/strict";
import { test } from "node:test";
import { fileURLToPath } from "node:url";

import { freshStream, useApi } from "../support/api.ts";
import { settled } from "../support/consumers.ts";

const entry = fileURLToPath(import.meta.resolve("../support/quiet-worker.ts"));
const lines: string[] = [];
const api = useApi({ entry, log: (line) => void lines.push(line) });

async function append(keys: readonly string[]): Promise<number> {
  const body = JSON.stringify({ stream: freshStream("quiet"), keys });
  const reply = await api.request("/append", { method: "POST", body });
  assert.equal(reply.status, 200, reply.text);
  return reply.json;
}

test("a Worker in which nothing fails logs nothing", async () => {
  for (let times = 0; times < 3; times += 1) assert.equal(await append(["a", "b", "c d"]), 0);
  await settled(api, "counts");
  await settled(api, "echo");
  assert.equal((await api.request("/v1/ready")).status, 200);
  assert.equal((await api.request("/v1/streams")).status, 200);
  assert.deepEqual(lines, []);
});

test("the platform is asked once whether headers take any text, and only for a key that needs it", async () => {
  for (let times = 0; times < 3; times += 1) assert.equal(await append(["추 1", "추 2"]), 1);
});
