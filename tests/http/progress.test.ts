/**
 * Progress: lines, messages and pages name the place up to which the server has looked, even without a wanted event.
 */

import assert from "node:assert/strict";
import { test } from "node:test";

import {
  assertProblem,
  eventsPath,
  freshStream,
  type HeaderValues,
  useApi,
} from "../support/api.ts";
import { SocketFollower } from "../support/socket-follower.ts";

const NDJSON = { Accept: "application/x-ndjson" };

/** Three pages of large events, and then one of another type. */
const stream = freshStream("mostly");
const LARGE = 12;
const api = useApi({}, async (api) => {
  const data = "x".repeat(1_000_000);
  for (let n = 0; n < LARGE; n++) await api.appended(stream, { type: "Large", data });
  await api.appended(stream, { type: "Rare" });
});

async function lines(path: string): Promise<any[]> {
  const { text } = await api.request(path, { headers: NDJSON });
  return text
    .split("\n")
    .slice(0, -1)
    .map((line) => JSON.parse(line));
}

test("lines have progress on request, once for each page without an event", async () => {
  const forward = await lines(`${eventsPath(stream)}?type=Rare&progress=true`);
  assert.deepEqual(forward.slice(0, -1), [{ version: 5 }, { version: 10 }]);
  assert.equal(forward.at(-1).type, "Rare");
  const backward = `${eventsPath(stream)}?type=Never&direction=backward&progress=true`;
  assert.deepEqual(await lines(backward), [{ version: 8 }, { version: 3 }]);
  assert.deepEqual(
    (await lines(`${eventsPath(stream)}?type=Rare`)).map(({ version }) => version),
    [LARGE + 1],
  );
  const whole = await lines(`${eventsPath(stream)}?progress=true`);
  assert.equal(whole.length, LARGE + 1);
  assert(whole.every(({ type }) => type !== undefined));
});

test("the progress in lines of the feed is a checkpoint to continue from", async () => {
  let found: any[] = [];
  // An event reaches the feed a moment after its append.
  while (found.at(-1)?.type !== "Rare") found = await lines("/v1/events?type=Rare&progress=true");
  assert(found.length > 1, "no progress was told");
  for (const { checkpoint, ...others } of found.slice(0, -1)) {
    assert.deepEqual(others, {});
    const rest = await lines(`/v1/events?type=Rare&after=${checkpoint}`);
    assert.deepEqual(rest, found.slice(-1));
  }
});

test("a WebSocket that follows a type gets the version as progress", async () => {
  const other = freshStream();
  const many = (type: string) => Array.from({ length: 1000 }, () => ({ type }));
  for (let n = 0; n < 2; n++) await api.appended(other, many("Noise"));
  const url = new URL(`${eventsPath(other)}?type=Wanted`, api.server.url);
  const follower = await SocketFollower.connect(url);
  await follower.until(({ events }) => events.length === 1);
  await api.appended(other, { type: "Wanted" });
  await follower.until(({ events }) => events.length === 2);
  assert.deepEqual(follower.events[0], { version: 2000 });
  assert.deepEqual([follower.versions[1], follower.events[1].type], [2001, "Wanted"]);
  await follower.close();
});

test("progress is for lines alone, and is true where it is given", async () => {
  for (const [query, headers] of [
    ["?progress=true", {}],
    ["?progress=true", { Accept: "text/event-stream" }],
    ["?progress=1", NDJSON],
    ["?progress=", NDJSON],
    ["?progress=true&progress=true", NDJSON],
  ] as [string, HeaderValues][]) {
    for (const path of [eventsPath(stream), "/v1/events"]) {
      const refused = await api.request(path + query, { headers });
      assertProblem(refused, 400, "invalid_parameter", "progress");
    }
  }
});
