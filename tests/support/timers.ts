/** Common helpers of the tests of timers and sent commands. */

import assert from "node:assert/strict";
import { setTimeout as sleep } from "node:timers/promises";

import { type Api, eventsPath, type HeaderValues, streamPath } from "./api.ts";
import { Follower } from "./follower.ts";

/** The longest wait, in milliseconds. */
const PATIENCE = 60_000;

type Requests = Pick<Api, "request">;

/** All timers of a stream. */
export function timersOf(api: Requests, stream: string, headers: HeaderValues = {}) {
  return pendingOf(api, stream, "timers", headers);
}

/** All commands that a process has sent, and that have no answer. */
export function sentOf(api: Requests, stream: string, headers: HeaderValues = {}) {
  return pendingOf(api, stream, "sent", headers);
}

async function pendingOf(
  api: Requests,
  stream: string,
  list: "timers" | "sent",
  headers: HeaderValues,
): Promise<any[]> {
  const all = [];
  let path: string | undefined = `${streamPath(stream)}/${list}`;
  while (path !== undefined) {
    const reply = await api.request(path, { headers });
    assert.equal(reply.status, 200, reply.text);
    all.push(...reply.json[list]);
    path = reply.json.next;
  }
  return all;
}

/** Waits until what `look` finds fulfils a condition. */
export async function until<T>(
  look: () => Promise<T>,
  holds: (found: T) => boolean,
  patience = PATIENCE,
): Promise<T> {
  const end = Date.now() + patience;
  for (;;) {
    const found = await look();
    if (holds(found)) return found;
    assert(Date.now() < end, JSON.stringify(found)?.slice(0, 2000));
    await sleep(20);
  }
}

/** Waits until the live stream has an event that fulfils a condition, and returns all of its events. */
export async function eventsUntil(
  api: Api,
  stream: string,
  holds: (events: any[]) => boolean,
): Promise<any[]> {
  const follower = await Follower.connect(new URL(eventsPath(stream), api.server.url));
  await follower.until(({ events }) => holds(events));
  const { events } = follower;
  await follower.close();
  return events;
}

/** The keys of the timers that have run, in their order. */
export function keysRung(events: any[]): string[] {
  return events.filter(({ type }) => type === "Rang").map(({ data }) => data.key);
}

/** Makes the timers and the sent commands of a stream due now, as if time had passed. */
export async function passTime(
  api: Api,
  stream: string,
  kinds: readonly string[] = ["timer", "sent"],
): Promise<void> {
  for (const kind of kinds) {
    const due = "UPDATE pending_v1 SET due = 1 WHERE due IS NOT NULL AND kind = ?";
    await api.server.sql(stream, due, kind);
  }
  // The object remembers when its timers are due.
  await api.server.evict(stream);
}

/** Lets time pass until all timers, or all sent commands, are parked, and returns them. */
export async function untilParked(
  api: Api,
  stream: string,
  list: typeof timersOf = timersOf,
): Promise<any[]> {
  for (let attempts = 1; ; attempts += 1) {
    const found = await until(
      () => list(api, stream),
      (all) =>
        all.every(({ state, failedAttempts }) => state === "parked" || failedAttempts >= attempts),
    );
    if (found.every(({ state }) => state === "parked")) return found;
    await passTime(api, stream, [list === timersOf ? "timer" : "sent"]);
  }
}
