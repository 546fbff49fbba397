// Subscriptions to a stream of a server over connections that fail. Every event arrives once and in order.

import assert from "node:assert/strict";
import { after as afterAll, before as beforeAll, mock, test } from "node:test";
import { setTimeout as sleep } from "node:timers/promises";

import type { RemoteEventStore, SubscribeOptions } from "sillok";
import { type Server } from "../support/server.ts";
import { sign } from "../support/token.ts";
import { all } from "./check.ts";
import { before, cutOff, Line, proxy, SECRET, serverWithTokens } from "./on-server.ts";
import { useScratch } from "./scratch.ts";

const scratch = useScratch();
let server: Server;
beforeAll(async () => {
  server = await serverWithTokens();
});
afterAll(() => server.stop());

const count = (from: number, to: number) =>
  Array.from({ length: to - from + 1 }, (_, place) => from + place);

/** The versions that arrive, up to this one. */
async function followed(
  store: RemoteEventStore,
  last: number,
  options?: SubscribeOptions,
): Promise<number[]> {
  const seen: number[] = [];
  for await (const { version } of store.subscribe("s", options)) {
    seen.push(version);
    if (version >= last) break;
  }
  return seen;
}

async function fill(store: RemoteEventStore, events: number): Promise<void> {
  const event = (_: unknown, place: number) => ({ type: `T${(place + 1) % 2}`, data: place });
  await store.append("s", Array.from({ length: events }, event));
}

test("the events there are, then each as it is appended, from where it is wanted", async () => {
  const store = new Line(server).connect(await scratch.sillok());
  const waiting = followed(store, 60);
  await fill(store, 50);
  const cases = [
    followed(store, 60, { after: 0 }),
    followed(store, 60, { after: 45 }),
    followed(store, 60, { after: 55 }),
    followed(store, 59, { type: "T1" }),
  ];
  for (let version = 51; version <= 60; version += 1) {
    await sleep(5);
    await store.append("s", { type: `T${version % 2}` });
  }
  assert.deepEqual(await waiting, count(1, 60));
  const odd = count(1, 59).filter((version) => version % 2 === 1);
  assert.deepEqual(await Promise.all(cases), [count(1, 60), count(46, 60), count(56, 60), odd]);
});

test("events are whole, and have the types they are said to have", async () => {
  const store = new Line(server).connect(await scratch.sillok());
  type Opened = { type: "Opened"; data: { owner: string } };
  const event: Opened = { type: "Opened", data: { owner: 'é\n\r\u2028 실록 "😀"\ndata: x\n\n' } };
  await store.append<Opened>("s", event);
  const [read] = await all(store.read<Opened>("s"));
  for await (const found of store.subscribe<Opened>("s")) {
    assert.equal(found.data.owner, event.data.owner);
    assert.deepEqual(found, read);
    break;
  }
});

test("a connection that is cut off anywhere is made again, with no hole and no repeat", async () => {
  const sillok = await scratch.sillok();
  const cut = (bytes: number) => async (send: () => Promise<Response>) =>
    cutOff(await send(), bytes);
  const faults = [cut(1), before, cut(3000), proxy(502), cut(5001), cut(20), cut(9000)];
  const line = new Line(server, faults);
  const writer = new Line(server).connect(sillok, { token: line.token });
  await fill(writer, 100);
  const following = followed(line.connect(sillok, { token: line.token, retries: 0 }), 130);
  for (let version = 101; version <= 130; version += 1) {
    await sleep(30);
    await writer.append("s", { type: "Live", data: "x".repeat(300) });
  }
  assert.deepEqual(await following, count(1, 130));
  assert.ok(line.requests.length > 5, `${line.requests.length} requests`);
});

test("workerd is killed and started again while a stream is followed", async () => {
  // The server may need long to start again.
  const store = new Line(server).connect(await scratch.sillok(), { retries: 100 });
  const following = followed(store, 300);
  let done = 0;
  const appending = (async () => {
    for (; done < 300; done += 1) {
      await store.append("s", { type: "A" }, { expectedVersion: done });
    }
  })();
  for (const least of [50, 150]) {
    while (done < least) await sleep(1);
    await server.kill();
    await server.restart();
  }
  await appending;
  assert.deepEqual(await following, count(1, 300));
});

test("it ends with the loop or the signal, whatever it is doing, and leaves nothing behind", async () => {
  const sillok = await scratch.sillok();
  const line = new Line(server);
  const store = line.connect(sillok);
  await fill(store, 3);
  assert.deepEqual(await followed(store, 2), [1, 2]);
  const asked = line.requests.length;
  const already = { signal: AbortSignal.abort() };
  assert.deepEqual(await all(store.subscribe("s", already)), []);
  assert.equal(line.requests.length, asked);

  // The server's comments would end the wait for an event too.
  let heard = 0;
  const heeded = (response: Response) => {
    const transform = (chunk: unknown, to: TransformStreamDefaultController) => {
      heard += 1;
      to.enqueue(chunk);
    };
    return new Response(response.body?.pipeThrough(new TransformStream({ transform })), response);
  };
  // The signal ends the wait for an event, for an answer, and for the next attempt, even if `fetch` ignores the signal.
  const by: Line["fetch"] = async (url, request) => heeded(await fetch(url, request));
  const within: Line["fetch"] = (url, { signal, ...request }) =>
    signal === undefined ? assert.fail("no signal") : by(url, request);
  const never: Line["fetch"] = (_, { signal }) =>
    new Promise((_resolve, reject) =>
      signal?.addEventListener("abort", () => reject(signal.reason)),
    );
  const options = (fetch: Line["fetch"]) => ({ fetch, token: line.token }) as object;
  for (const [what, from, expected] of [
    ["an event", sillok.EventStore.connect(server.url, options(by)), 3],
    ["an event, by another fetch", sillok.EventStore.connect(server.url, options(within)), 3],
    ["an answer", sillok.EventStore.connect(server.url, options(never)), 0],
    ["the next attempt", new Line(server, [before]).connect(sillok), 0],
  ] as const) {
    const stop = new AbortController();
    // If no event can come, there is nothing to wait for.
    if (expected === 0) setTimeout(() => stop.abort(), 500);
    stop.signal.addEventListener("abort", () => (heard = 0));
    let found = 0;
    for await (const _ of from.subscribe("s", { signal: stop.signal })) {
      found += 1;
      // The signal comes after the caller waits for the next event.
      if (found === expected) setImmediate(() => stop.abort());
    }
    assert.deepEqual([found, heard], [expected, 0], what);
  }
});

test("a deleted stream ends with an error, and so do refusals", async () => {
  const sillok = await scratch.sillok();
  const line = new Line(server);
  const store = line.connect(sillok);
  await fill(store, 2);
  const following = store.subscribe("s");
  await following.next();
  await following.next();
  const rest = following.next();
  await store.delete("s");
  await assert.rejects(rest, { name: "SillokError", code: "stream_deleted" });
  assert.deepEqual(await following.next(), { done: true, value: undefined });

  const asked = line.requests.length;
  const none = line.connect(sillok, { token: sign({ scope: "append" }, SECRET) });
  await assert.rejects(none.subscribe("s").next(), { code: "insufficient_scope" });
  assert.equal(line.requests.length, asked + 1);
  const bad: [unknown, string, string][] = [
    [null, "invalid_parameter", "options"],
    [{ from: 1 }, "invalid_parameter", "from"],
    ...[-1, 1.5, NaN, "1", 2n, null, Number.MAX_SAFE_INTEGER].map(
      (after): [unknown, string, string] => [{ after }, "invalid_parameter", "after"],
    ),
    ...["", 5, "\ud800"].map((type): [unknown, string, string] => [
      { type },
      "invalid_event_type",
      "type",
    ]),
    [{ signal: {} }, "invalid_parameter", "signal"],
  ];
  for (const [options, code, field] of bad) {
    const refused = store.subscribe("s", options as SubscribeOptions).next();
    await assert.rejects(refused, { code, field });
  }
  await assert.rejects(store.subscribe("").next(), { code: "invalid_stream_id", field: "stream" });
  assert.equal(line.requests.length, asked + 1);
});

test("a connection from which nothing comes is given up and made again", async () => {
  const { EventStore } = await scratch.sillok();
  mock.timers.enable({ apis: ["setTimeout"] });
  try {
    let asked = 0;
    const fetch = () => {
      asked += 1;
      const message = 'id: 1\ndata: {"version":1}\n\n';
      const body = asked === 1 ? new ReadableStream() : message;
      const headers = { "Content-Type": "text/event-stream" };
      return Promise.resolve(new Response(body, { headers }));
    };
    const following = EventStore.connect("https://h", { fetch }).subscribe("s");
    const first = following.next();
    for (const milliseconds of [39_999, 1, 1000]) {
      await new Promise(setImmediate);
      assert.equal(asked, 1);
      mock.timers.tick(milliseconds);
    }
    assert.equal((await first).value?.version, 1);
    assert.equal(asked, 2);
    await following.return(undefined);
  } finally {
    mock.timers.reset();
  }
});
