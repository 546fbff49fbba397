/** An object that fails or cannot be reached becomes a problem document. */

import assert from "node:assert/strict";
import { get } from "node:http";
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
      await api.request(`${path}/commits`),
      await api.request(`${path}/truncate`, { method: "POST", body: '{"before":1}' }),
    ]) {
      assertProblem(reply, status, code);
      assert(!reply.text.includes("nobody"), reply.text);
    }
    assert.equal((await api.request(eventsPath(stream), { method: "HEAD" })).status, status);
  });
}

for (const stream of ["nonsense", "nothing", "text", "another-ok", "another-failure"]) {
  test(`an object that answers what cannot be read: ${stream}`, async () => {
    for (const reply of [
      await api.read(stream),
      await api.append(stream, numbered(1)),
      await api.request(streamPath(stream)),
      await api.request(`${streamPath(stream)}/verify`),
      await api.request(`${streamPath(stream)}/commits`),
      await api.request(`${streamPath(stream)}/truncate`, { method: "POST", body: '{"before":1}' }),
    ]) {
      assertProblem(reply, 503, "unavailable");
      assert(!reply.text.includes("nobody"), reply.text);
    }
  });
}

for (const stream of ["nothing", "text", "another-failure"]) {
  test(`a deletion whose answer cannot be read is not taken for done: ${stream}`, async () => {
    assertProblem(await api.request(streamPath(stream), { method: "DELETE" }), 503, "unavailable");
  });
}

test("an object that does not have the method", async () => {
  for (const path of ["/v1/events", "/v1/streams", "/v1/consumers", "/v1/journal"]) {
    assertProblem(await api.request(path), 503, "unavailable");
  }
});

for (const [pages, bytes] of [
  [1, 10],
  [2, 10],
  [10, 10],
  [1, 3_000_000],
  [5, 3_000_000],
] as const) {
  test(`lines of ${pages} pages of ${bytes} bytes, and then a failure`, async () => {
    const [lines, isWhole] = await received(`fails-after-${pages}-of-${bytes}`);
    assert.equal(isWhole, false, "a part was taken for the whole");
    // The text after the last line end is not a line.
    const versions = lines.slice(0, -1).map((line) => JSON.parse(line).version);
    assert.deepEqual(
      versions,
      Array.from({ length: pages }, (_, place) => place + 1),
    );
  });
}

/** The lines of a stream, and whether they were complete. */
function received(stream: string): Promise<[lines: string[], isWhole: boolean]> {
  const headers = { Accept: "application/x-ndjson" };
  return new Promise((resolve, reject) => {
    const request = get(new URL(eventsPath(stream), api.server.url), { headers }, (response) => {
      assert.equal(response.statusCode, 200);
      let text = "";
      response.setEncoding("utf8");
      response.on("data", (chunk: string) => (text += chunk));
      response.on("error", () => undefined);
      response.on("close", () => resolve([text.split("\n"), response.complete]));
    });
    request.on("error", reject);
  });
}

test("an object that takes no follower", async () => {
  const reply = await api.read("a", "", { Accept: "text/event-stream" });
  assertProblem(reply, 503, "unavailable");
});
