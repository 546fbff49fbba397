/**
 * Stores that take positions from a sequence lose events. A reader sees position 8 before the transaction with position 7
 * commits, continues after 8, and never sees 7. In this test many writers append, and readers read as often as they can.
 */

import assert from "node:assert/strict";
import { test } from "node:test";
import { setTimeout as sleep } from "node:timers/promises";

import { numbered, useApi } from "../support/api.ts";
import { wholeFeed } from "../support/feed.ts";

const [WRITERS, READERS, APPENDS] = [16, 4, 15];
const EVENTS = 2;
const ALL = WRITERS * APPENDS * EVENTS;

const api = useApi();

test("the sequence gap: no reader sees a position before all smaller ones", async (t) => {
  let looks = 0;
  const read = async (): Promise<number[]> => {
    const positions: number[] = [];
    for (let after = ""; positions.length < ALL; looks += 1) {
      const { events, checkpoint } = await wholeFeed(api, after);
      positions.push(...events.map(({ position }) => position));
      // A reader that has seen a position does not read before it again.
      after = `?after=${checkpoint}`;
    }
    return positions;
  };
  const write = async (writer: number): Promise<void> => {
    for (let append = 0; append < APPENDS; append += 1) {
      // Slow readers too must read while events arrive.
      while (looks < append) await sleep(1);
      await api.appended(`account-${writer}`, numbered(EVENTS));
    }
  };
  const reading = Array.from({ length: READERS }, read);
  await Promise.all(Array.from({ length: WRITERS }, (_, writer) => write(writer)));
  const expected = Array.from({ length: ALL }, (_, place) => place + 1);
  for (const positions of await Promise.all(reading)) assert.deepEqual(positions, expected);
  t.diagnostic(`${looks} looks at ${ALL} events while they came`);
});
