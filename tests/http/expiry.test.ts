/** The rights of a token end when it expires, also on a connection that was opened before. */

import assert from "node:assert/strict";
import { test, type TestContext } from "node:test";

import { assertProblem, eventsPath, freshStream, numbered, useApi } from "../support/api.ts";
import { Follower } from "../support/follower.ts";
import { SocketFollower } from "../support/socket-follower.ts";
import { sign } from "../support/token.ts";

const SECRET = "a secret of the tests, of more than 32 bytes";
const api = useApi({ vars: { SILLOK_SECRET: SECRET } });
const administrator = { Authorization: `Bearer ${SECRET}` };

/** The leeway. A token that is valid for some seconds has an `exp` in the past, earlier by the leeway. */
const LEEWAY = 60;
const lasting = (seconds: number, claims: object = {}) => {
  const exp = Date.now() / 1000 - LEEWAY + seconds;
  return { Authorization: `Bearer ${sign({ scope: "read", exp, ...claims }, SECRET)}` };
};
/** The time for which the tokens of these tests are valid, in seconds. */
const SECONDS = 3;
/** The longest time for which a connection may stay open after that, in milliseconds. */
const PATIENCE = 5000;

/** The number of tenants. Each test of a feed has its own tenant. */
let tenants = 0;
const freshTenant = () => ({ tenant: `tenant-${(tenants += 1)}` });
const writer = (tenant: object) => ({
  Authorization: `Bearer ${sign({ scope: "append", ...tenant }, SECRET)}`,
});

/** Appends one event after the other until `stop` is called or the test ends. `stop` returns the number of events. */
function appending(t: TestContext, stream: string, headers: Record<string, string>) {
  let [count, isOver] = [0, false];
  const done = (async () => {
    while (!isOver) count = await api.appended(stream, numbered(1, count + 1), headers);
  })();
  const stop = async () => {
    isOver = true;
    await done;
    return count;
  };
  t.after(stop);
  return stop;
}

const WHAT = {
  "a stream": (stream: string) => eventsPath(stream),
  "the feed": () => "/v1/events",
};

for (const [what, pathOf] of Object.entries(WHAT)) {
  test(`server-sent events of ${what} end with the token, and another goes on without a hole`, async (t) => {
    const [stream, tenant] = [freshStream(), freshTenant()];
    const url = new URL(pathOf(stream), api.server.url);
    const stop = appending(t, stream, writer(tenant));
    const begun = Date.now();
    const token = lasting(SECONDS, tenant);
    const first = await Follower.connect(url, token);
    t.after(() => first.close());
    assert.equal(await first.ended, undefined, "it ends properly");
    const took = Date.now() - begun;
    assert(
      took > 1000 * SECONDS - 500 && took < 1000 * SECONDS + PATIENCE,
      `it ended after ${took} ms`,
    );
    assert(first.events.length > 0, "it was sent something before");
    const again = await api.request(url.pathname, { headers: token });
    assertProblem(again, 401, "invalid_token");

    const resumed = { ...lasting(3600, tenant), "Last-Event-ID": first.lastId! };
    const second = await Follower.connect(url, resumed);
    const count = await stop();
    await second.until(({ events }) => events.at(-1)?.version === count);
    const versions = [...first.events, ...second.events].map(({ version }) => version);
    assert.deepEqual(
      versions,
      Array.from({ length: count }, (_, place) => place + 1),
    );
    await second.close();
  });

  test(`a WebSocket to ${what} is closed with 1008, and another goes on without a hole`, async (t) => {
    const [stream, tenant] = [freshStream(), freshTenant()];
    const url = new URL(pathOf(stream), api.server.url);
    const stop = appending(t, stream, writer(tenant));
    const begun = Date.now();
    const first = await SocketFollower.connect(url, lasting(SECONDS, tenant));
    t.after(() => first.close());
    await first.until(({ closed }) => closed !== undefined);
    assert.equal(first.closed, 1008);
    const took = Date.now() - begun;
    assert(
      took > 1000 * SECONDS - 500 && took < 1000 * SECONDS + PATIENCE,
      `it was closed after ${took} ms`,
    );

    const { version, checkpoint } = first.events.at(-1);
    if (what === "the feed") url.searchParams.set("after", checkpoint);
    else url.searchParams.set("from", version + 1);
    const second = await SocketFollower.connect(url, lasting(3600, tenant));
    const count = await stop();
    await second.until(({ versions }) => versions.at(-1) === count);
    const versions = [...first.versions, ...second.versions];
    assert.deepEqual(
      versions,
      Array.from({ length: count }, (_, place) => place + 1),
    );
    await second.close();
  });
}

test("a quiet connection ends too, and one whose token does not expire goes on", async () => {
  const stream = freshStream();
  const url = new URL(eventsPath(stream), api.server.url);
  // A time beyond the longest timer.
  const far = { Authorization: `Bearer ${sign({ scope: "read", exp: 8e12 }, SECRET)}` };
  const [ending, socket, late, secret] = await Promise.all([
    Follower.connect(url, lasting(SECONDS)),
    SocketFollower.connect(url, lasting(SECONDS)),
    Follower.connect(url, far),
    SocketFollower.connect(url, administrator),
  ]);
  assert.equal(await ending.ended, undefined);
  await socket.until(({ closed }) => closed === 1008);
  assert.deepEqual([ending.events, socket.events], [[], []]);
  await api.appended(stream, numbered(1), administrator);
  await late.until(({ events }) => events.length === 1);
  await secret.until(({ events }) => events.length === 1);
  await Promise.all([late.close(), secret.close()]);
});
