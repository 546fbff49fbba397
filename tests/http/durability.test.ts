/** An answered append survives a crash. */

import assert from "node:assert/strict";
import { test } from "node:test";
import { setTimeout as sleep } from "node:timers/promises";

import { freshStream, numbered, useApi } from "../support/api.ts";

const api = useApi();

test("acknowledged events survive SIGKILL", async () => {
  const stream = freshStream();
  await api.appended(stream, { type: "Opened", data: { owner: "Ada" } });
  await api.appended(stream, { type: "Deposited", data: { amount: 100 } });
  const before = (await api.read(stream)).text;
  await api.server.kill();
  await assert.rejects(api.read(stream), "a killed server does not answer");
  await api.server.restart();
  assert.equal((await api.read(stream)).text, before);
  assert.equal(await api.appended(stream, { type: "Withdrawn" }, { "If-Match": '"2"' }), 3);
});

test("SIGKILL amid appends: every acknowledged commit is there, whole, once and in order", async () => {
  const streams = Array.from({ length: 4 }, () => freshStream());
  const acknowledged = new Map<string, number>(streams.map((stream) => [stream, 0]));
  const first: Promise<void>[] = [];
  let killed = false;
  const writers = streams.map(async (stream) => {
    const { promise, resolve } = Promise.withResolvers<void>();
    first.push(promise);
    for (let version = 0; !killed; version += 3) {
      // The network refuses it after the server is gone.
      const reply = await api.append(stream, numbered(3, version + 1)).catch(() => undefined);
      if (reply === undefined) return;
      assert.equal(reply.status, 201, reply.text);
      acknowledged.set(stream, reply.json.version);
      resolve();
    }
  });
  // A writer that ends before the server has failed.
  await Promise.race([Promise.all(first), Promise.all(writers)]);
  await sleep(500 * Math.random());
  await api.server.kill();
  killed = true;
  await Promise.all(writers);
  await api.server.restart();
  for (const [stream, version] of acknowledged) {
    const page = (await api.read(stream)).json;
    assert(version > 0, "nothing was appended before the crash");
    // At most one commit may be there without an answer: the one that was being written.
    assert(
      page.version === version || page.version === version + 3,
      `${page.version}, acknowledged ${version}`,
    );
    const numbers = page.events.map((event: any) => event.data.n);
    assert.deepEqual(
      numbers,
      numbered(Math.min(page.version, 1000)).map((event) => event.data.n),
    );
  }
});

test("an orderly restart loses nothing either", async () => {
  const stream = freshStream();
  await api.appended(stream, numbered(10));
  const before = (await api.read(stream)).text;
  await api.server.restart();
  assert.equal((await api.read(stream)).text, before);
});
