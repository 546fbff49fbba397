/** The messages of a client over its WebSocket do not delay the events that it follows. */

import assert from "node:assert/strict";
import { test } from "node:test";
import { setTimeout as sleep } from "node:timers/promises";
import { fileURLToPath } from "node:url";

import { eventsPath, freshStream, numbered, useApi } from "../support/api.ts";
import { SocketFollower } from "../support/socket-follower.ts";

const api = useApi({ entry: fileURLToPath(import.meta.resolve("../support/held-reads.ts")) });

const reads = async (): Promise<number> => (await api.request("/reads")).json;

test("a page that is being read is not read anew, however much the client writes meanwhile", async () => {
  const stream = freshStream();
  const follower = await SocketFollower.connect(new URL(eventsPath(stream), api.server.url));
  const before = await reads();
  await api.request("/hold");
  await api.appended(stream, numbered(3));
  while ((await reads()) === before) await sleep(5);
  for (let n = 0; n < 20; n++) {
    follower.say("hello");
    await sleep(5);
  }
  await api.request("/go");
  await follower.until(({ events }) => events.length === 3);
  assert.equal(await reads(), before + 1);
  await follower.close();
});
