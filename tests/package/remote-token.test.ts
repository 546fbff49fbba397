// A token that a function returns. The function is called before each request, so a token may expire.

import assert from "node:assert/strict";
import { after as afterAll, before as beforeAll, test } from "node:test";
import { setTimeout as sleep } from "node:timers/promises";

import type { ConnectOptions, RemoteEventStore } from "sillok";
import { type Server } from "../support/server.ts";
import { sign } from "../support/token.ts";
import { all } from "./check.ts";
import { before, freshToken, Line, SECRET, serverWithTokens, well } from "./on-server.ts";
import { useScratch } from "./scratch.ts";

const scratch = useScratch();
let server: Server;
beforeAll(async () => {
  server = await serverWithTokens();
});
afterAll(() => server.stop());

const LEEWAY_SECONDS = 60;
/** The lifetime of a short token, in seconds. */
const SECONDS = 2.5;

/** Returns another token for the same name space at each call. Each is valid for this number of seconds. */
function tokens(seconds: number) {
  const tenant = `rotating-${Math.random()}`;
  const given: string[] = [];
  const next = () => {
    const exp = Date.now() / 1000 - LEEWAY_SECONDS + seconds;
    given.push(sign({ scope: "admin", tenant, exp, n: given.length }, SECRET));
    return given.at(-1)!;
  };
  return { given, next };
}

const OPERATIONS: Record<string, (store: RemoteEventStore) => Promise<unknown>> = {
  append: (store) => store.append("s", { type: "A" }),
  read: (store) => all(store.read("s")),
  readAll: (store) => all(store.readAll()),
  streams: (store) => all(store.streams()),
  verify: (store) => store.verify("s"),
  exportCommits: (store) => all(store.exportCommits("s")),
  subscribe: (store) => first(store.subscribe("s")),
  "subscribe to all": (store) => first(store.subscribe({ all: true })),
  truncate: (store) => store.truncate("s", { before: 1 }),
  delete: (store) => store.delete("s"),
};

async function first<T>(events: AsyncGenerator<T, void, undefined>): Promise<T> {
  for await (const event of events) return event;
  throw new Error("it ended");
}

for (const [how, wrapped] of Object.entries({
  "at once": (next: () => string) => next,
  "in time": (next: () => string) => async () => {
    await sleep(1);
    return next();
  },
})) {
  test(`a function that gives a token ${how} is asked before every request`, async () => {
    const sillok = await scratch.sillok();
    const { given, next } = tokens(60);
    const line = new Line(server);
    const store = line.connect(sillok, { token: wrapped(next) });
    assert.equal(given.length, 0, "nothing is asked before there is something to do");
    for (const [name, operate] of Object.entries(OPERATIONS)) {
      const asked = given.length;
      await operate(store);
      assert.ok(given.length > asked, name);
    }
    const sent = line.requests.map(({ headers }) => headers["Authorization"]);
    assert.deepEqual(
      sent,
      given.map((token) => `Bearer ${token}`),
    );
    assert.equal(new Set(given).size, given.length);
  });
}

test("a request that is repeated has another token each time", async () => {
  const { given, next } = tokens(60);
  const line = new Line(server, [before, before, well]);
  const store = line.connect(await scratch.sillok(), { token: next });
  assert.equal((await store.append("s", { type: "A" })).version, 1);
  assert.equal(given.length, 3);
});

for (const what of ["a stream", "all streams"]) {
  test(`a subscription to ${what} outlives its tokens and loses nothing`, async () => {
    const sillok = await scratch.sillok();
    const { given, next } = tokens(SECONDS);
    const store = new Line(server).connect(sillok, { token: next });
    let written = 0;
    const writing = (async () => {
      while (given.length < 60) {
        written = (await store.append("s", { type: "A" })).version;
        await sleep(100);
      }
      await store.append("s", { type: "Z" });
    })();
    const line = new Line(server);
    const options = { token: next };
    const follower = line.connect(sillok, options);
    const seen: number[] = [];
    const events =
      what === "a stream" ? follower.subscribe("s") : follower.subscribe({ all: true });
    for await (const { version, type } of events) {
      seen.push(version);
      if (type === "Z") break;
    }
    await writing;
    assert.deepEqual(
      seen,
      Array.from({ length: written + 1 }, (_, place) => place + 1),
    );
    assert.ok(line.requests.length >= 3, `it was ended only ${line.requests.length - 1} times`);
  });
}

test("a token that is a text ends the subscription with it", async () => {
  const store = new Line(server).connect(await scratch.sillok(), { token: tokens(SECONDS).next() });
  await store.append("s", { type: "A" });
  const events = store.subscribe("s");
  assert.equal((await events.next()).value?.version, 1);
  await assert.rejects(events.next(), { name: "SillokError", code: "invalid_token" });
});

test("an error of the function is raised unchanged, and an invalid token is refused", async () => {
  const sillok = await scratch.sillok();
  const line = new Line(server);
  const own = new RangeError("no token today");
  const throwing = [
    () => {
      throw own;
    },
    () => Promise.reject(own),
  ];
  for (const token of throwing) {
    const store = line.connect(sillok, { token });
    for (const operate of Object.values(OPERATIONS)) {
      await assert.rejects(operate(store), (error) => error === own);
    }
  }
  for (const wrong of ["", " ", "a\nb", "é", 7, undefined, null, {}]) {
    const token = (() => wrong) as unknown as ConnectOptions["token"];
    const store = line.connect(sillok, { token });
    const refused = store.append("s", { type: "A" });
    await assert.rejects(refused, { code: "invalid_parameter", field: "token" }, String(wrong));
  }
  assert.equal(line.requests.length, 0);
});

test("a subscription ends while its token is waited for", async () => {
  const sillok = await scratch.sillok();
  const line = new Line(server);
  const store = line.connect(sillok, { token: () => new Promise<string>(() => undefined) });
  const stop = new AbortController();
  const waiting = all(store.subscribe("s", { signal: stop.signal }));
  stop.abort();
  assert.deepEqual(await waiting, []);
  const left = store.subscribe("s");
  const next = left.next();
  await left.return(undefined);
  assert.deepEqual(await next, { done: true, value: undefined });
  // With a token that is there at once, the request would have begun.
  const begun = line.connect(sillok, { token: async () => freshToken() });
  assert.equal((await begun.append("s", { type: "A" })).version, 1);
});
