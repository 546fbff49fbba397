/** A stream of a million events is appended, read as lines and verified in bounded memory. */

import assert from "node:assert/strict";
import { createInterface } from "node:readline/promises";
import { Readable } from "node:stream";
import { test } from "node:test";

import { eventsPath, freshStream, numbered, streamPath, useApi } from "../support/api.ts";
import { growth } from "../support/memory.ts";

const EVENTS = 1_000_000;
const PER_COMMIT = 1000;
/** The events are some 180 MB as bytes, and twice that as text in JavaScript. All of them at once would be more. */
const MOST_MEMORY_GROWTH = 256 * 1024 * 1024;

const api = useApi();

/** Reads the stream as lines, and checks that each version comes once, in order. */
async function readLines(stream: string): Promise<void> {
  const url = new URL(eventsPath(stream), api.server.url);
  const response = await fetch(url, { headers: { Accept: "application/x-ndjson" } });
  assert.ok(response.body);
  let version = 0;
  for await (const line of createInterface({ input: Readable.fromWeb(response.body as any) })) {
    version += 1;
    if (!line.includes(`"version":${version},`)) assert.fail(`line ${version}: ${line}`);
  }
  assert.equal(version, EVENTS);
}

test("a million events are appended, read and verified in bounded memory", async (t) => {
  const stream = freshStream();
  const report = (what: string, bytes: number) => {
    t.diagnostic(`${what}: workerd grew by ${Math.round(bytes / 1024 / 1024)} MiB at most`);
    assert.ok(bytes < MOST_MEMORY_GROWTH, `${what}: ${bytes} bytes`);
  };
  const appending = await growth(api.server, async () => {
    for (let n = 1; n <= EVENTS; n += PER_COMMIT)
      await api.appended(stream, numbered(PER_COMMIT, n));
  });
  report("appending", appending);
  report("reading", await growth(api.server, () => readLines(stream)));
  const verifying = await growth(api.server, async () => {
    const found = await api.request(`${streamPath(stream)}/verify`);
    assert.equal(found.json.intact, true);
    assert.equal(found.json.version, EVENTS);
    assert.equal(found.json.commits, EVENTS / PER_COMMIT);
  });
  report("verifying", verifying);
});
