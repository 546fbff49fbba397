/** Reads the feed as a client would. */

import assert from "node:assert/strict";
import { setTimeout as sleep } from "node:timers/promises";

import type { Api, HeaderValues } from "./api.ts";

/** Reads every event of the feed after a checkpoint, page by page. */
export async function wholeFeed(
  api: Api,
  query = "",
  headers: HeaderValues = {},
): Promise<{ events: any[]; checkpoint: string; pages: number }> {
  const events: any[] = [];
  let path: string | null = `/v1/events${query}`;
  let [checkpoint, pages] = ["", 0];
  while (path !== null) {
    const reply = await api.request(path, { headers });
    assert.equal(reply.status, 200, reply.text);
    events.push(...reply.json.events);
    checkpoint = reply.json.checkpoint;
    assert.notEqual(reply.json.next, path, "the next page is another one");
    path = reply.json.next;
    pages += 1;
  }
  return { events, checkpoint, pages };
}

/** Reads the whole feed, as soon as it has this number of events. */
export async function feedOf(
  api: Api,
  count: number,
  query = "",
  seconds = 60,
): Promise<{ events: any[]; checkpoint: string; pages: number }> {
  const deadline = performance.now() + seconds * 1000;
  for (;;) {
    const found = await wholeFeed(api, query);
    if (found.events.length >= count) return found;
    const late = `${found.events.length} of ${count} events after ${seconds} s`;
    assert(performance.now() < deadline, late);
    await sleep(50);
  }
}

/** Asserts that the feed has each stream's events once, in order and without a gap, from its first version. */
export function assertInOrder(events: any[], versions: ReadonlyMap<string, number>): void {
  const reached = new Map<string, number>();
  for (const { stream, version } of events) {
    assert.equal(version, (reached.get(stream) ?? 0) + 1, `${stream}: ${version} is out of order`);
    reached.set(stream, version);
  }
  assert.deepEqual(
    new Map([...reached].toSorted()),
    new Map([...versions].filter(([, version]) => version > 0).toSorted()),
  );
}

/** Asserts that in each partition the positions of the events are 1, 2, 3 … */
export function assertGapless(events: any[], partitions = 1): void {
  const reached = Array.from({ length: partitions }, () => 0);
  for (const { position, checkpoint } of events) {
    const places: number[] = checkpoint.split(".").map(Number);
    assert.equal(places.length, partitions);
    // An event moves the checkpoint in its own partition only.
    const moved = places.findIndex((place, partition) => place > reached[partition]!);
    assert.equal(places[moved], position);
    assert.equal(position, reached[moved]! + 1, "a gap");
    reached[moved] = position;
  }
}
