// A store on a server that is not always reachable. No append is lost or written twice.

import assert from "node:assert/strict";
import { after as afterAll, before as beforeAll, test } from "node:test";
import { setTimeout as sleep } from "node:timers/promises";

import type { AppendOptions, ReadOptions, RemoteEventStore } from "sillok";
import { type Server, startServer } from "../support/server.ts";
import { all } from "./check.ts";
import {
  after,
  before,
  cutOff,
  freshToken,
  Line,
  proxy,
  SECRET,
  serverWithTokens,
  well,
  within,
} from "./on-server.ts";
import { useScratch } from "./scratch.ts";

const APPENDS = 20;
/** More than two of the server's pages. */
const LONG = 2500;

const scratch = useScratch();
let server: Server;
beforeAll(async () => {
  server = await serverWithTokens();
});
afterAll(() => server.stop());

async function versions(store: RemoteEventStore, options: ReadOptions = {}): Promise<number[]> {
  return (await all(store.read("s", options))).map(({ version }) => version);
}

const count = (from: number, to: number) =>
  Array.from({ length: to - from + 1 }, (_, place) => from + place);

const conditions: Record<string, (done: number) => AppendOptions> = {
  "any version": () => ({}),
  "an exact version": (done) => ({ expectedVersion: done }),
  "a key of the caller's": (done) => ({ idempotencyKey: `request-${done}` }),
};

const lines: Record<string, Line["faults"]> = {
  "the request is lost": [before, well],
  "the answer is lost": [after, well],
  "the answer is lost within": [within, well],
  "the request is lost, then the answer": [before, after, well],
  "a proxy answers": [proxy(502), well, proxy(504), well, proxy(500), well, proxy(503), well],
};

for (const [what, faults] of Object.entries(lines)) {
  test(`${what}: every append happens once`, async () => {
    const sillok = await scratch.sillok();
    const runs = Object.entries(conditions).map(async ([about, options]) => {
      const line = new Line(server, faults);
      const store = line.connect(sillok);
      for (let done = 0; done < APPENDS; done += 1) {
        const result = await store.append("s", { type: "A", data: { done } }, options(done));
        assert.equal(result.version, done + 1, about);
        if (about !== "a key of the caller's") assert.equal(result.replayed, false, about);
      }
      const found = await all(new Line(server).connect(sillok, { token: line.token }).read("s"));
      assert.deepEqual(
        found.map(({ data }) => data),
        count(0, APPENDS - 1).map((done) => ({ done })),
        about,
      );
      const each = faults.length / faults.filter((fault) => fault === well).length;
      assert.equal(line.requests.length, APPENDS * each, about);
      const keys = new Set(line.requests.map(({ headers }) => headers["Idempotency-Key"]));
      assert.equal(keys.size, APPENDS, "one key for each append, and none for two");
    });
    await Promise.all(runs);
  });
}

test("to create a stream, truncate it, verify it and delete it can be repeated", async () => {
  const store = new Line(server, [after, well]).connect(await scratch.sillok());
  const made = await store.append("s", [{ type: "A" }, { type: "B" }], {
    expectedVersion: "no-stream",
  });
  assert.deepEqual([made.version, made.replayed], [2, false]);
  assert.equal((await store.truncate("s", { before: 2 })).firstVersion, 2);
  assert.equal((await store.verify("s")).version, 2);
  await store.delete("s");
  const refused = await store.append("s", { type: "A" }).catch((error: unknown) => error);
  assert.equal((refused as { code?: string }).code, "stream_deleted");
});

test("a conflict and a refusal are not repeated, and are reported also after a lost answer", async () => {
  const sillok = await scratch.sillok();
  const line = new Line(server, [after, well]);
  const store = line.connect(sillok);
  const options = { expectedVersion: 7 };
  const error = await store.append("s", { type: "A" }, options).catch((error: unknown) => error);
  assert.ok(sillok.isWrongExpectedVersion(error));
  assert.deepEqual([error.stream, error.expected, error.actual], ["s", 7, 0]);
  assert.equal(line.requests.length, 2);
  const calm = new Line(server);
  await assert.rejects(calm.connect(sillok).append("s", { type: "" }), {
    code: "invalid_event_type",
  });
  assert.equal(calm.requests.length, 1);
});

test("without retries there are no keys, and an error says that it is not known", async () => {
  const sillok = await scratch.sillok();
  const line = new Line(server, [after, well]);
  const store = line.connect(sillok, { retries: 0 });
  const error = await store.append("s", { type: "A" }).catch((error: unknown) => error);
  assert.ok(sillok.isSillokError(error) && error.code === "unavailable");
  assert.ok(error.cause instanceof TypeError && error.message.includes("fetch failed"));
  assert.deepEqual(await versions(store), [1]);
  assert.ok(line.requests.every(({ headers }) => headers["Idempotency-Key"] === undefined));
  assert.equal(line.requests.length, 2);
});

test("an unreachable server is given up after the wanted number of attempts", async () => {
  const sillok = await scratch.sillok();
  const line = new Line(server, [before]);
  const store = line.connect(sillok, { retries: 2 });
  const calls = [
    () => store.append("s", { type: "A" }),
    () => versions(store),
    () => store.verify("s"),
    () => store.truncate("s", { before: 1 }),
    () => store.delete("s"),
  ];
  for (const call of calls) await assert.rejects(call, { code: "unavailable" });
  assert.equal(line.requests.length, calls.length * 3);
});

test("an overloaded stream is left alone, one that did not answer is asked again", async () => {
  const sillok = await scratch.sillok();
  const failing = await startServer({ entry: "tests/support/failing-objects.ts" });
  try {
    for (const [stream, attempts] of [
      ["overloaded", 1],
      ["unavailable", 3],
      ["internal", 1],
    ] as const) {
      const line = new Line(failing);
      const store = line.connect(sillok, { retries: 2 });
      await assert.rejects(store.append(stream, { type: "A" }), { code: stream });
      await assert.rejects(all(store.read(stream)), { code: stream });
      assert.equal(line.requests.length, attempts * 2, stream);
    }
  } finally {
    await failing.stop();
  }
});

/** Creates a store whose stream `s` is long. Returns a token for other stores that read it. */
async function long(): Promise<string> {
  const token = freshToken();
  const store = new Line(server).connect(await scratch.sillok(), { token });
  for (let from = 1; from <= LONG; from += 500) {
    await store.append(
      "s",
      count(from, from + 499).map((n) => ({ type: `T${n % 3}`, data: "é".repeat(50) })),
    );
  }
  return token;
}

test("a read that is cut off at any place continues from there", async () => {
  const sillok = await scratch.sillok();
  const token = await long();
  const cut = (bytes: number) => async (send: () => Promise<Response>) =>
    cutOff(await send(), bytes);
  const faults = [cut(1), before, cut(70_001), cut(200_000), after, cut(7), cut(100_003)];
  const everything = count(1, LONG);
  const cases: [ReadOptions, number[]][] = [
    [{}, everything],
    [{ direction: "backward" }, everything.toReversed()],
    [{ from: 100, to: 2200, limit: 2000 }, count(100, 2099)],
    [{ from: 100, limit: 2000, direction: "backward" }, count(501, LONG).toReversed()],
    [{ type: "T1" }, everything.filter((version) => version % 3 === 1)],
    [{ to: LONG + 10 }, everything],
  ];
  const runs = cases.map(async ([options, expected]) => {
    const line = new Line(server, faults);
    assert.deepEqual(await versions(line.connect(sillok, { token }), options), expected);
    assert.ok(line.requests.length >= 4, "it was cut off several times");
  });
  await Promise.all(runs);
});

test("a continued read does not see events that were appended meanwhile", async () => {
  const sillok = await scratch.sillok();
  const token = await long();
  const cut = async (send: () => Promise<Response>) => cutOff(await send(), 100_000);
  const reading = new Line(server, [cut, well]).connect(sillok, { token }).read("s");
  assert.equal((await reading.next()).value?.version, 1);
  const other = new Line(server).connect(sillok, { token });
  await other.append("s", { type: "Meanwhile" });
  const rest = (await all(reading)).map(({ version }) => version);
  assert.deepEqual(rest, count(2, LONG));
});

test("a read that comes no further is given up; damaged data is reported", async () => {
  const sillok = await scratch.sillok();
  const options = { token: SECRET, retries: 2 };
  const store = new Line(server).connect(sillok, options);
  for (const from of [1, 1001, 2001]) {
    await store.append(
      "s",
      count(from, from + 999).map(() => ({ type: "A", data: "x".repeat(900) })),
    );
  }
  const seen: number[] = [];
  const stuck = new Line(server, [
    (send) => send().then((response) => cutOff(response, 10_000)),
    within,
    within,
    within,
  ]).connect(sillok, options);
  const reading = async () => {
    for await (const { version } of stuck.read("s")) seen.push(version);
  };
  await assert.rejects(reading, { code: "unavailable" });
  assert.deepEqual(seen, count(1, seen.length));
  assert.ok(seen.length > 0);
  await server.sql("s", "UPDATE commits_v1 SET events = '' WHERE version = 3000");
  await assert.rejects(versions(store, { from: 2001 }), { code: "stored_data_corrupt" });
  // A server can only break off an answer that it has begun. The network decides how much of it arrives.
  const error = await versions(store).catch((error: unknown) => error);
  assert.ok(sillok.isSillokError(error), String(error));
  assert.match(error.code, /^(stored_data_corrupt|unavailable)$/);
});

test("workerd is killed and started again amid appends and a read", async () => {
  const sillok = await scratch.sillok();
  const line = new Line(server);
  // The server may need long to start again.
  const store = line.connect(sillok, { retries: 100 });
  const TO = 150;
  // The answer is larger than the network's buffers, so the server is killed before its read ends.
  const [COMMITS, EACH] = [30, 40];
  const large = { type: "Large", data: "x".repeat(20_000) };
  for (const _ of count(1, COMMITS)) await store.append("r", Array(EACH).fill(large));
  let answered = 0;
  const appending = async (stream: string) => {
    for (let done = 0; done < TO; done += 1) {
      const event = { type: "A", data: { done } };
      const { version } = await store.append(stream, event, { expectedVersion: done });
      assert.equal(version, done + 1);
      answered += 1;
    }
  };
  const reading = store.read("r");
  assert.equal((await reading.next()).value?.version, 1);
  const streams = ["a", "b", "c", "d"];
  const appends = Promise.all(streams.map(appending));
  // There are 600 appends. The kills are between them.
  for (const least of [100, 300]) {
    while (answered < least) await sleep(1);
    await server.kill();
    await server.restart();
  }
  await appends;
  const rest = (await all(reading)).map(({ version }) => version);
  assert.deepEqual(rest, count(2, COMMITS * EACH));
  const reads = line.requests.filter(({ method }) => method === "GET");
  assert.ok(reads.length > 1, "the read was gone on with");
  for (const stream of streams) {
    const found = (await all(store.read(stream))).map((event) => event.data);
    assert.deepEqual(
      found,
      count(0, TO - 1).map((done) => ({ done })),
    );
    assert.equal((await store.verify(stream)).commits, TO);
  }
  const sent = line.requests.filter(({ method }) => method === "POST").length;
  assert.ok(sent > COMMITS + streams.length * TO, "something was repeated");
});
