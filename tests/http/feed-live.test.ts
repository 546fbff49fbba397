/** GET /v1/events as server-sent events and as a WebSocket: the existing events, and then each new event. */

import assert from "node:assert/strict";
import { test } from "node:test";
import { fileURLToPath } from "node:url";

import {
  Api,
  assertProblem,
  freshStream,
  type HeaderValues,
  numbered,
  useApi,
} from "../support/api.ts";
import { feedOf } from "../support/feed.ts";
import { Follower } from "../support/follower.ts";
import { SocketFollower } from "../support/socket-follower.ts";

const api = useApi();

const url = (query: string) => new URL(`/v1/events${query}`, api.server.url);
const follow = (query = "", headers: HeaderValues = {}) => Follower.connect(url(query), headers);
/** A WebSocket also sends the follower's progress: a message that is not an event. */
const eventsOf = ({ events }: { events: any[] }): any[] =>
  events.filter((event) => event.stream !== undefined);
const followSocket = (query = "", headers: HeaderValues = {}) =>
  SocketFollower.connect(url(query), headers);

for (const [protocol, connect] of [
  ["server-sent events", follow],
  ["a WebSocket", followSocket],
] as const) {
  test(`${protocol}: what there is, and then what comes, of all streams`, async () => {
    const category = freshStream("live").replaceAll("-", "");
    const query = `?category=${category}`;
    await api.appended(`${category}-1`, numbered(3));
    await feedOf(api, 3, query);
    const follower = await connect(query);
    await follower.until((follower) => eventsOf(follower).length === 3);
    for (let n = 1; n <= 3; n++) {
      await api.appended(`${category}-${n}`, numbered(1));
      await follower.until((follower) => eventsOf(follower).length === 3 + n);
    }
    assert.deepEqual(eventsOf(follower), (await feedOf(api, 6, query)).events);
    await follower.close();
  });

  test(`${protocol}: cut off ten times while many streams grow, each event is seen once`, async () => {
    const category = freshStream("cut").replaceAll("-", "");
    const query = `?category=${category}`;
    const seen: any[] = [];
    const write = async (writer: number): Promise<void> => {
      for (let n = 0; n < 40; n++) await api.appended(`${category}-${writer}`, numbered(10));
    };
    let follower = await connect(query);
    const writing = Promise.all(Array.from({ length: 5 }, (_, writer) => write(writer)));
    for (let cut = 1; cut <= 10; cut++) {
      await follower.until((follower) => seen.length + eventsOf(follower).length >= cut * 180);
      await follower.close();
      seen.push(...eventsOf(follower));
      follower = await connect(query, { "Last-Event-ID": seen.at(-1).checkpoint });
    }
    await writing;
    await follower.until((follower) => seen.length + eventsOf(follower).length >= 2000);
    await follower.close();
    seen.push(...eventsOf(follower));
    assert.deepEqual(seen, (await feedOf(api, 2000, query)).events);
  });
}

test("no event waits for the alarm of its stream", async (t) => {
  const own = new Api();
  await own.start({
    vars: { SILLOK_AUTH: "off", ALARMS_DOWN: "yes" },
    entry: fileURLToPath(import.meta.resolve("../support/failing-journal.ts")),
  });
  t.after(() => own.stop());
  const follower = await Follower.connect(new URL("/v1/events", own.server.url));
  for (let n = 1; n <= 6; n++) {
    await own.appended(`account-${n % 2}`, numbered(1));
    await follower.until(({ events }) => events.length === n);
  }
  await follower.close();
});

test("Last-Event-ID counts more than `after`, and an id is a checkpoint", async () => {
  const stream = freshStream();
  await api.appended(stream, numbered(5));
  const category = stream.split("-")[0];
  const { events } = await feedOf(api, 5, `?category=${category}&type=Counted`);
  const last = events.at(-2).checkpoint;
  const follower = await follow("?after=0", { "Last-Event-ID": last });
  await follower.until((follower) => follower.events.length >= 1);
  assert.equal(follower.lastId, events.at(-1).checkpoint);
  await follower.close();
});

test("a follower that wants none of many events gets its progress", async () => {
  const stream = freshStream("noise");
  const follower = await follow("?type=Never");
  const socket = await followSocket("?type=Never");
  for (let n = 0; n < 3; n++) await api.appended(stream, numbered(1000));
  const { checkpoint } = await feedOf(api, 3000, "?category=noise");
  const told = () => follower.messages.filter(({ id }) => id !== undefined);
  await follower.until(() => Number(told().at(-1)?.id ?? 0) > Number(checkpoint) - 1000);
  assert(told().every(({ data, name }) => data === undefined || name === "caught-up"));
  await socket.until(
    ({ events }) => Number(events.at(-1)?.checkpoint ?? 0) > Number(checkpoint) - 1000,
  );
  assert.deepEqual(Object.keys(socket.events[0]), ["checkpoint"]);
  await follower.close();
  await socket.close();
});

test("a follower does not notice that the journal's object was put out of memory", async () => {
  const category = freshStream("evicted").replaceAll("-", "");
  const follower = await follow(`?category=${category}`);
  for (let n = 1; n <= 3; n++) {
    await api.appended(`${category}-1`, numbered(1));
    await follower.until(({ events }) => events.length === n);
    await api.server.evict("0", "Journal");
  }
  await follower.close();
});

test("an invalid request to follow gets a problem document", async () => {
  const SSE = { Accept: "text/event-stream" };
  for (const [query, headers, code, field] of [
    ["?limit=1", {}, "invalid_parameter", "limit"],
    ["?after=x", {}, "invalid_checkpoint", "after"],
    ["", { "Last-Event-ID": "1.2" }, "invalid_checkpoint", "Last-Event-ID"],
    ["", { "If-None-Match": '"1"' }, "unsupported_header", "If-None-Match"],
  ] as const) {
    const reply = await api.request(`/v1/events${query}`, { headers: { ...SSE, ...headers } });
    assertProblem(reply, 400, code, field);
  }
});
