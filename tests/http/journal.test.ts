/** Every event reaches the journal once, in order, and at a bounded price, even if a part fails. */

import assert from "node:assert/strict";
import { readFile } from "node:fs/promises";
import { test } from "node:test";
import { fileURLToPath } from "node:url";
import { promisify } from "node:util";
import { gunzip } from "node:zlib";

import { Api, assertProblem, freshStream, numbered, priceOf, streamPath } from "../support/api.ts";
import { assertGapless, assertInOrder, feedOf, wholeFeed } from "../support/feed.ts";
import type { ServerOptions } from "../support/server.ts";

/** Starts a server for one test. */
async function started(t: { after(work: () => unknown): void }, options: ServerOptions = {}) {
  const api = new Api();
  await api.start(options);
  t.after(() => api.stop());
  return api;
}

const vars = (partitions: string) => ({ SILLOK_AUTH: "off", JOURNAL_PARTITIONS: partitions });

/** The rows that the journal's objects have written since their start, without the rows of their tables. */
async function rowsOfJournal(api: Api): Promise<number> {
  const { partitions } = (await api.request("/v1/journal")).json;
  return partitions.reduce((sum: number, { sinceStart }: any) => sum + sinceStart.rowsWritten, 0);
}

test("billed rows, end to end: at most 4 for a commit when all is idle", async (t) => {
  const api = await started(t);
  await api.appended("first", numbered(1));
  await feedOf(api, 1);
  const before = await rowsOfJournal(api);
  const price = priceOf(await api.append(freshStream(), numbered(1)));
  await feedOf(api, 2);
  const journal = (await rowsOfJournal(api)) - before;
  t.diagnostic(`${price.written} rows on the stream's object, ${journal} on the journal's`);
  assert.deepEqual([price.written, journal], [2, 2]);
});

test("billed rows, end to end: at most 2.2 for a commit under load", async (t) => {
  const api = await started(t);
  const streams = Array.from({ length: 10 }, () => freshStream());
  const [each, writers] = [30, 4];
  let rows = 0;
  const write = async (stream: string): Promise<void> => {
    for (let n = 0; n < each; n++) {
      const reply = await api.append(stream, numbered(1));
      assert.equal(reply.status, 201, reply.text);
      rows += priceOf(reply).written;
    }
  };
  await Promise.all(
    streams.flatMap((stream) => Array.from({ length: writers }, () => write(stream))),
  );
  const commits = streams.length * writers * each;
  await feedOf(api, commits);
  const journal = await rowsOfJournal(api);
  const perCommit = (rows + journal) / commits;
  t.diagnostic(
    `${commits} commits: ${rows} rows on the streams' objects, ${journal} on the journal's`,
  );
  t.diagnostic(`${perCommit.toFixed(2)} rows a commit`);
  assert(perCommit <= 2.2, `${perCommit}`);
});

for (const partitions of [1, 4]) {
  test(`flights appended at once are in a journal of ${partitions} partitions, each once`, async (t) => {
    const api = await started(t, { vars: vars(String(partitions)) });
    const path = fileURLToPath(new URL("../../examples/flights-sample.ndjson.gz", import.meta.url));
    const text = String(await promisify(gunzip)(await readFile(path)));
    const flights = text
      .trimEnd()
      .split("\n")
      .map((line) => JSON.parse(line));
    const versions = new Map<string, number>();
    const queue = flights.entries();
    const write = async (): Promise<void> => {
      for (const [place, flight] of queue) {
        const stream = `flight-${place % 97}`;
        const version = await api.appended(stream, { type: "Flown", data: flight });
        versions.set(stream, Math.max(version, versions.get(stream) ?? 0));
      }
    };
    await Promise.all(Array.from({ length: 16 }, write));
    const { events, checkpoint } = await feedOf(api, flights.length, "?limit=250");
    assert.equal(events.length, flights.length);
    assertInOrder(events, versions);
    assertGapless(events, partitions);
    const places = checkpoint.split(".").map(Number);
    assert.equal(places.length, partitions);
    assert.equal(
      places.reduce((sum, place) => sum + place, 0),
      flights.length,
    );
    assert(
      places.every((place) => place > 0),
      checkpoint,
    );
    assert.deepEqual(
      events.map(({ data }) => JSON.stringify(data)).sort(),
      flights.map((flight) => JSON.stringify(flight)).sort(),
    );
  });
}

test("pages smaller than there are partitions lead to the end, whatever each partition has", async (t) => {
  const api = await started(t, { vars: vars("16") });
  const versions = new Map<string, number>();
  for (const stream of ["account-1", "account-2", "order-3"]) {
    versions.set(stream, await api.appended(stream, numbered(5)));
  }
  const { events } = await feedOf(api, 15);
  for (const limit of [1, 2, 3, 15, 16]) {
    const small = await wholeFeed(api, `?limit=${limit}`);
    assertInOrder(small.events, versions);
    assertGapless(small.events, 16);
    assert(small.pages <= Math.ceil(events.length / limit) + 4, `${small.pages} pages of ${limit}`);
  }
  assert.equal((await wholeFeed(api, "?limit=1&category=order")).events.length, 5);
  assert.deepEqual((await wholeFeed(api, "?limit=2&category=none")).events, []);
});

test("a place beyond the end of one of several partitions is refused in every form", async (t) => {
  const api = await started(t, { vars: vars("3") });
  for (const stream of ["account-1", "account-2", "order-3"]) {
    await api.appended(stream, numbered(5));
  }
  const { events, checkpoint } = await feedOf(api, 15);
  for (const partition of [0, 1, 2]) {
    const places = checkpoint.split(".").map((_, place) => (place === partition ? 1000 : 0));
    const path = `/v1/events?after=${places.join(".")}`;
    for (const Accept of ["application/json", "application/x-ndjson", "text/event-stream"]) {
      const refused = await api.request(path, { headers: { Accept } });
      assertProblem(refused, 400, "invalid_checkpoint", "after");
    }
  }
  const headers = { Accept: "application/x-ndjson" };
  const rest = await api.request(`/v1/events?after=${events[9].checkpoint}`, { headers });
  assert.equal(rest.text.trimEnd().split("\n").length, 5);
});

test("while the journal cannot be reached, appends go on; once it can, everything is in it", async (t) => {
  const api = await started(t, {
    vars: { SILLOK_AUTH: "off", JOURNAL_DOWN: "yes" },
    entry: fileURLToPath(import.meta.resolve("../support/failing-journal.ts")),
  });
  const versions = new Map<string, number>();
  for (let n = 1; n <= 5; n++) {
    for (const stream of ["account-1", "account-2", "account-3"]) {
      versions.set(stream, await api.appended(stream, numbered(2)));
    }
  }
  const body = JSON.stringify({ before: 2 });
  const path = streamPath("account-1");
  const forgotten = await api.request(`${path}/truncate`, { method: "POST", body });
  assertProblem(forgotten, 503, "unavailable");
  assertProblem(await api.request(path, { method: "DELETE" }), 503, "unavailable");
  assert.equal((await api.read("account-1")).json.events.length, 10);
  assert.deepEqual((await api.request("/v1/events")).json.events, []);
  // No request wakes the streams' objects. Their alarms do.
  await api.server.restart({ vars: { SILLOK_AUTH: "off" } });
  const { events } = await feedOf(api, 30);
  assertInOrder(events, versions);
  assertGapless(events);
  assert.equal((await api.request(`${path}/truncate`, { method: "POST", body })).status, 200);
});

test("the number of partitions cannot change, and an invalid one is refused", async (t) => {
  const api = await started(t, { vars: vars("2") });
  for (const stream of ["account-1", "account-2", "account-3", "account-4"]) {
    await api.appended(stream, numbered(1));
  }
  await feedOf(api, 4);
  await api.server.restart({ vars: vars("3") });
  assertProblem(await api.request("/v1/events"), 500, "journal_partitions_changed");
  assertProblem(await api.request("/v1/streams"), 500, "journal_partitions_changed");
  for (const wrong of ["0", "65", "two", "01"]) {
    await api.server.restart({ vars: vars(wrong) });
    for (const path of ["/v1/events", "/v1/streams", "/v1/journal"]) {
      const { detail } = assertProblem(await api.request(path), 500, "invalid_configuration");
      assert.match(detail, /JOURNAL_PARTITIONS/);
    }
    const append = await api.append("account-1", numbered(1));
    assertProblem(append, 500, "invalid_configuration");
  }
  await api.server.restart({ vars: vars("2") });
  assert.equal((await feedOf(api, 4)).events.length, 4);
});
