/** A follower whose connection breaks again and again, over any protocol. */

import assert from "node:assert/strict";

import { type Api, freshStream, type HeaderValues, numbered } from "./api.ts";
import type { Waiting } from "./waiting.ts";

interface Follower extends Waiting {
  readonly events: { readonly version: number }[];
  close(): Promise<unknown>;
}

type Follow = (stream: string, query: string, headers: HeaderValues) => Promise<Follower>;

/**
 * Follows while 10,000 events are written, breaks the connection ten times, and asserts that each event arrives once, in order.
 */
export async function seesEachOnceThoughCutOff(api: Api, follow: Follow): Promise<void> {
  const stream = freshStream();
  const seen: number[] = [];
  const last = ({ events }: Follower): number => events.at(-1)?.version ?? 0;
  let follower = await follow(stream, "", {});
  const leave = async (): Promise<void> => {
    await follower.close();
    seen.push(...follower.events.map((event) => event.version));
  };
  const write = async (): Promise<void> => {
    for (let n = 0; n < 100; n++) await api.appended(stream, numbered(10));
  };
  const writing = Promise.all(Array.from({ length: 10 }, write));
  for (let cut = 1; cut <= 10; cut++) {
    await follower.until(() => last(follower) >= cut * 900);
    await leave();
    follower = await follow(stream, "", { "Last-Event-ID": String(seen.at(-1)) });
  }
  await writing;
  await follower.until(() => last(follower) === 10_000);
  await leave();
  assert.deepEqual(
    seen,
    Array.from({ length: 10_000 }, (_, place) => place + 1),
  );
}
