/** An object that cannot be reached, or that fails, is a problem document too. */

import assert from "node:assert/strict";
import { test } from "node:test";
import { fileURLToPath } from "node:url";

import { assertProblem, eventsPath, numbered, streamPath, useApi } from "../support/api.ts";

const api = useApi({ entry: fileURLToPath(import.meta.resolve("../support/failing-objects.ts")) });

for (const [stream, status, code] of [
  ["overloaded", 503, "overloaded"],
  ["unavailable", 503, "unavailable"],
  ["broken", 500, "internal"],
] as const) {
  test(`an object that is ${stream}`, async () => {
    const path = streamPath(stream);
    for (const reply of [
      await api.read(stream),
      await api.append(stream, numbered(1)),
      await api.request(path),
      await api.request(path, { method: "DELETE" }),
      await api.request(`${path}/verify`),
      await api.request(`${path}/truncate`, { method: "POST", body: '{"before":1}' }),
    ]) {
      assertProblem(reply, status, code);
      assert(!reply.text.includes("nobody"), reply.text);
    }
    assert.equal((await api.request(eventsPath(stream), { method: "HEAD" })).status, status);
  });
}

test("an object that answers nonsense", async () => {
  assertProblem(await api.read("nonsense"), 500, "internal");
});

test("an object that takes no follower", async () => {
  const reply = await api.read("a", "", { Accept: "text/event-stream" });
  assertProblem(reply, 503, "unavailable");
});
