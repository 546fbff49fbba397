/** Common helpers of the tests of consumers. */

import assert from "node:assert/strict";
import { setTimeout as sleep } from "node:timers/promises";

import type { Api } from "./api.ts";

/** A consumer's status. */
export async function statusOf(api: Pick<Api, "request">, name: string): Promise<any> {
  const reply = await api.request(`/v1/consumers/${name}`);
  assert.equal(reply.status, 200, reply.text);
  return reply.json;
}

/** Waits until the consumer's status fulfils a condition, and returns the status. */
export async function settled(
  api: Pick<Api, "request">,
  name: string,
  holds: (status: any) => boolean = isQuiet,
): Promise<any> {
  const end = Date.now() + 120_000;
  for (;;) {
    const status = await statusOf(api, name);
    if (holds(status)) return status;
    assert(Date.now() < end, JSON.stringify(status));
    await sleep(20);
  }
}

/** Whether a consumer has handled everything, and no rebuild, retry or next attempt is left. */
function isQuiet({ lag, retryAt, rebuild, retrying }: any): boolean {
  return lag === 0 && retryAt === null && rebuild === null && !retrying;
}
