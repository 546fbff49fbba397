// A Worker that stores its events on a server.

import assert from "node:assert/strict";
import { after, before, test } from "node:test";

import { type Server } from "../support/server.ts";
import { all } from "./check.ts";
import { freshToken, serverWithTokens } from "./on-server.ts";
import { useScratch } from "./scratch.ts";

// wrangler must not ask a server for news or for a request's place of origin.
process.env["WRANGLER_SEND_METRICS"] = "false";
process.env["CLOUDFLARE_CF_FETCH_ENABLED"] = "false";
const { createTestHarness } = await import("wrangler");

const WORKER = `
import { EventStore } from "sillok";

export default {
  async fetch(request) {
    const { url, token } = await request.json();
    const store = EventStore.connect(url, { token });
    const options = { expectedVersion: "no-stream", idempotencyKey: "é 실록" };
    const first = await store.append("é 실록", { type: "Opened" }, options);
    const again = await store.append("é 실록", { type: "Opened" }, options);
    const refused = await store.append("é 실록", { type: "Opened" }, { expectedVersion: 7 }).catch((error) => error);
    const read = [];
    for await (const { version } of store.read("é 실록")) read.push(version);
    for await (const { version } of store.subscribe("é 실록")) {
      read.push(version);
      if (version === 2) break;
      await store.append("é 실록", { type: "Closed" });
    }
    return Response.json([first.version, again.replayed, refused.code, refused.actual, read]);
  },
};
`;

const scratch = useScratch(async (scratch) => {
  await scratch.write("worker.js", WORKER);
  const config = { name: "uses-sillok", main: "worker.js", compatibility_date: "2026-11-17" };
  await scratch.write("wrangler.json", JSON.stringify(config));
});
let server: Server;
before(async () => {
  server = await serverWithTokens();
});
after(() => server.stop());

test("a Worker appends, reads and follows, under the same keys as Node", async () => {
  const token = freshToken();
  const worker = createTestHarness({ workers: [{ configPath: scratch.at("wrangler.json") }] });
  try {
    await worker.listen();
    const body = JSON.stringify({ url: server.url.href, token });
    const response = await worker.fetch("/", { method: "POST", body });
    const text = await response.text();
    assert.equal(response.status, 200, text);
    assert.deepEqual(JSON.parse(text), [1, true, "wrong_expected_version", 1, [1, 1, 2]]);
  } finally {
    await worker.close();
  }
  const { EventStore } = await scratch.sillok();
  const store = EventStore.connect(server.url, { token });
  const options = { idempotencyKey: "é 실록" };
  assert.equal((await store.append("é 실록", { type: "Opened" }, options)).replayed, true);
  assert.equal((await all(store.read("é 실록"))).length, 2);
});
