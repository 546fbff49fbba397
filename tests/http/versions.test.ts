/**
 * Two versions of the Worker over the same storage, as during a gradual deployment: the previous one, as it was built from its
 * own sources, and this one. Their objects call one another, and nothing is lost, repeated or stopped by it.
 */

import assert from "node:assert/strict";
import { test } from "node:test";
import { setTimeout as sleep } from "node:timers/promises";
import { fileURLToPath } from "node:url";

import { Api, type HeaderValues, numbered, type Reply } from "../support/api.ts";
import { settled } from "../support/consumers.ts";
import { assertInOrder, wholeFeed } from "../support/feed.ts";
import { Receiver } from "../support/receiver.ts";
import type { Version, Versions } from "../support/server.ts";

/** Who is of which version, in turn. Every two that call one another are of two versions, both ways. */
const STAGES: [string, Versions][] = [
  ["all of the previous version", versions("previous", "previous", "previous", "previous")],
  ["gateway and streams of this version", versions("current", "current", "previous", "previous")],
  ["journal and consumers of this version", versions("previous", "previous", "current", "current")],
  ["gateway and journal of this version", versions("current", "previous", "current", "previous")],
  ["streams and consumers of this version", versions("previous", "current", "previous", "current")],
  ["all of this version", versions("current", "current", "current", "current")],
  ["all of the previous version again", versions("previous", "previous", "previous", "previous")],
];
const STREAMS = ["count-1", "count-2", "count-3", "count-4"];
const WRITERS_PER_STREAM = 2;
/** How long a writer rests between two appends, in milliseconds. */
const REST = 200;
/** The fewest appends that are answered in a stage. */
const ANSWERS = 40;
/** How many events are appended in a stage and forgotten at once. */
const FORGOTTEN = 3;
/** The longest that anything may take, in milliseconds. */
const PATIENCE = 45_000;

/** What may be answered, beside the answer itself, while versions change: the request is then to be repeated. */
const REPEATED = ["overloaded", "projection_behind", "unavailable"];

function versions(gateway: Version, Aggregate: Version, Journal: Version, Consumer: Version) {
  return { gateway, Aggregate, Journal, Consumer };
}

const api = new Api();
const receiver = new Receiver();
/** The version of each append that was answered, by its key. */
const acknowledged = new Map<string, { stream: string; version: number }>();
/** The feed as its reader has found it so far. */
const read: any[] = [];
let stage = "";
let writing = true;
let reading = true;
let repeated = 0;

/** Waits until something is so. */
async function until(what: string, holds: () => boolean): Promise<void> {
  const end = Date.now() + PATIENCE;
  while (!holds()) {
    assert(Date.now() < end, `${stage}: ${PATIENCE} ms are over before ${what}`);
    await sleep(20);
  }
}

/** Sends a request, again and again where it is not answered because versions change, until it has this status. */
async function answered(path: string, status: number, init: RequestInit = {}): Promise<Reply> {
  const request = `${init.method ?? "GET"} ${path}`;
  const end = Date.now() + PATIENCE;
  for (;;) {
    const reply = await api.request(path, init).catch(() => undefined);
    if (reply?.status === status) return reply;
    const text = reply?.text ?? "nobody answers";
    assert(
      reply === undefined || (reply.status === 503 && REPEATED.includes(reply.json.code)),
      `${stage}: ${request} is answered by ${text}`,
    );
    assert(Date.now() < end, `${stage}: ${request} is not done within ${PATIENCE} ms: ${text}`);
    repeated += 1;
    await sleep(50);
  }
}

async function write(stream: string, writer: number): Promise<void> {
  for (let count = 1; writing; count += 1) {
    const [key, n] = [`${writer}-${count}`, 1 + (count % 9)];
    const init = {
      method: "POST",
      headers: { "Idempotency-Key": key },
      body: JSON.stringify({ type: "Counted", data: { n, key } }),
    };
    const { json } = await answered(`/v1/streams/${stream}/events`, 201, init);
    acknowledged.set(`${stream} ${key}`, { stream, version: json.version });
    await sleep(REST);
  }
}

/** Reads the feed as it grows. */
async function follow(): Promise<void> {
  let after = "";
  while (reading) {
    const { json } = await answered(`/v1/events?limit=100${after}`, 200);
    read.push(...json.events);
    assertOnward(read);
    after = `&after=${json.checkpoint}`;
    await sleep(REST);
  }
}

/** Asserts that no event of the feed comes twice. */
function assertOnward(events: any[]): void {
  const positions = events.map(({ position }) => position);
  assert(
    positions.every((position, place) => place === 0 || position > positions[place - 1]),
    `${stage}: the feed repeats itself`,
  );
}

/** Waits until everything that is acknowledged by now has come everywhere. */
async function arrived(): Promise<void> {
  const now = [...acknowledged.values()];
  const last = new Map(now.map(({ stream, version }) => [stream, version]));
  for (const { stream, version } of now) {
    last.set(stream, Math.max(version, last.get(stream) ?? 0));
  }
  const name = ({ stream, version }: { stream: string; version: number }) => `${stream}@${version}`;
  await until("the feed has what was acknowledged", () => {
    const names = new Set(read.map(name));
    return now.every((event) => names.has(name(event)));
  });
  for (const [stream, version] of last) {
    await answered(`/v1/projections/sums/documents/${stream}?min=${stream}@${version}`, 200);
  }
  await until("the webhook has what was acknowledged", () => {
    const names = new Set(receiver.taken.map(nameOf));
    return now.every((event) => names.has(name(event)));
  });
}

function nameOf({ event }: { event: any }): string {
  return `${event.subject}@${event.streamversion}`;
}

/** Makes every kind of request, so that every message is sent. */
async function sweep(number: number): Promise<void> {
  const [stream, hook] = [`/v1/streams/swept-${number}`, `/v1/consumers/hook`];
  const send = (method: string, body?: unknown, headers: HeaderValues = {}): RequestInit =>
    body === undefined ? { method, headers } : { method, body: JSON.stringify(body), headers };
  const lines = { headers: { Accept: "application/x-ndjson" } };
  await answered(
    `${stream}/events`,
    201,
    send("POST", numbered(FORGOTTEN), { "If-None-Match": "*" }),
  );
  await answered(`${stream}/events`, 412, send("POST", numbered(1), { "If-Match": '"7"' }));
  await answered(stream, 200);
  await answered(`${stream}/events?from=2&limit=1`, 200);
  await answered(`${stream}/events`, 200, lines);
  await answered(`${stream}/verify`, 200);
  await answered(`${stream}/commits`, 200);
  await followed(`${stream}/events`);
  await answered(`${stream}/truncate`, 200, send("POST", { before: 3 }));
  await answered(stream, 204, send("DELETE"));
  await answered("/v1/events?category=swept&type=Counted", 200);
  await answered("/v1/events?limit=10", 200, lines);
  await followed("/v1/events");
  await answered("/v1/streams?prefix=count", 200);
  await answered("/v1/journal", 200);
  await answered("/v1/consumers", 200);
  await answered(hook, 200);
  await answered(hook, 200, send("PUT", definition()));
  for (const act of ["pause", "resume", "retry"]) {
    await answered(`${hook}/${act}`, 200, send("POST"));
  }
  await answered(`${hook}/dead-letters?limit=5`, 200);
  await answered(`${hook}/dead-letters`, 204, send("DELETE"));
  await answered("/v1/projections/sums/documents?prefix=count", 200);
  await answered("/v1/consumers/sums/rebuild", 200, send("POST"));
  const passing = `/v1/consumers/passing-${number}`;
  await answered(passing, 200, send("PUT", { ...definition(), category: "none" }));
  await answered(passing, 204, send("DELETE"));
}

/** Follows what is at a path, until an event comes. */
async function followed(path: string): Promise<void> {
  const controller = new AbortController();
  const headers = { Accept: "text/event-stream" };
  const init = { headers, signal: controller.signal };
  const response = await fetch(new URL(path, api.server.url), init);
  assert.equal(response.status, 200, `${stage}: ${path} is not followed`);
  let text = "";
  for await (const chunk of response.body!.pipeThrough(new TextDecoderStream())) {
    text += chunk;
    if (text.includes("data:")) break;
  }
  assert(text.includes("data:"), `${stage}: ${path} ends without an event`);
  controller.abort();
}

function definition() {
  const policy = { firstDelay: 10, longestDelay: 50, attempts: 100, concurrency: 4 };
  return { kind: "webhook", url: receiver.url, category: "count", ...policy };
}

test("two versions of the Worker work together over the same storage", async (t) => {
  await receiver.start();
  t.after(() => receiver.stop());
  const entry = fileURLToPath(new URL("../support/own-worker.ts", import.meta.url));
  await api.start({ entry, versions: STAGES[0]![1] });
  t.after(() => api.stop());
  await answered("/v1/consumers/hook", 200, {
    method: "PUT",
    body: JSON.stringify(definition()),
  });
  const writers = STREAMS.flatMap((stream) =>
    Array.from({ length: WRITERS_PER_STREAM }, (_, writer) => write(stream, writer)),
  );
  const load = Promise.all(writers);
  const reader = follow();
  // The first request that fails ends the test.
  const failed = Promise.all([load, reader]);
  failed.catch(() => undefined);
  const unlessFailed = <T>(done: Promise<T>): Promise<unknown> => Promise.race([done, failed]);
  try {
    for (const [number, [name, versions]] of STAGES.entries()) {
      stage = name;
      if (number > 0) await api.server.restart({ versions });
      const enough = acknowledged.size + ANSWERS;
      await unlessFailed(until("enough is appended", () => acknowledged.size >= enough));
      await unlessFailed(Promise.all([arrived(), sweep(number)]));
    }
    writing = false;
    await unlessFailed(load);
    await unlessFailed(arrived());
  } finally {
    writing = reading = false;
  }
  await failed;
  for (const name of ["sums", "notes", "hook"]) await settled(api, name);
  await checkAll();
  t.diagnostic(
    `${acknowledged.size} appends, ${receiver.received.length} messages, ${repeated} requests repeated`,
  );
});

/** Each acknowledged append is there once, in every place. */
async function checkAll(): Promise<void> {
  const { events } = await wholeFeed(api);
  assertOnward(events);
  // What was forgotten had its position too.
  const { json: journal } = await api.request("/v1/journal");
  assert.equal(events.length + FORGOTTEN * STAGES.length, journal.partitions[0].end, "a gap");
  const counted = events.filter(({ stream }) => STREAMS.includes(stream));
  const counts = STREAMS.map((stream): [string, any[]] => [
    stream,
    counted.filter((event) => event.stream === stream),
  ]);
  assertInOrder(counted, new Map(counts.map(([stream, { length }]) => [stream, length])));
  assert.deepEqual(
    counted.map(({ stream, data, version }) => [`${stream} ${data.key}`, version]).toSorted(),
    [...acknowledged].map(([key, { version }]) => [key, version]).toSorted(),
  );
  const sent = new Set(receiver.taken.map(nameOf));
  for (const [stream, mine] of counts) {
    const { json } = await api.request(`/v1/projections/sums/documents/${stream}`);
    const sum = mine.reduce((total, { data }) => total + data.n, 0);
    assert.deepEqual(json, { sum, events: mine.length }, stream);
    const notes = events.filter((event) => event.stream === stream.replace("count", "note"));
    assert.deepEqual(
      notes.map(({ metadata }) => metadata.causationId).toSorted(),
      mine.map(({ id }) => id).toSorted(),
      `${stream} is noted`,
    );
    for (const { version } of mine)
      assert(sent.has(`${stream}@${version}`), `${stream}@${version}`);
    const { json: proof } = await api.request(`/v1/streams/${stream}/verify`);
    assert.deepEqual([proof.intact, proof.version], [true, mine.length], stream);
  }
}
