/**
 * If the journal cannot wake its consumers, it does not answer the forward as done. The forward comes again, and no event is
 * lost.
 */

import assert from "node:assert/strict";
import { test } from "node:test";
import { fileURLToPath } from "node:url";

import { numbered, useApi } from "../support/api.ts";
import { settled } from "../support/consumers.ts";
import { useReceiver } from "../support/receiver.ts";

const entry = fileURLToPath(import.meta.resolve("../support/failing-wakes.ts"));
const api = useApi({ entry });
const receiver = useReceiver();

for (const [FAILS, what, failed] of [
  ["read", "it cannot be read whom to wake", ["exec"]],
  ["alarm", "a consumer cannot be woken, nor the alarm be set for it", ["wake", "setAlarm"]],
] as const) {
  test(`${what}, and the event arrives`, async () => {
    const definition = { kind: "webhook", url: receiver.url, category: FAILS };
    const body = JSON.stringify(definition);
    const put = await api.request(`/v1/consumers/${FAILS}`, { method: "PUT", body });
    assert.equal(put.status, 200, put.text);
    await settled(api, FAILS);
    // The journal starts again, and has not yet read which consumers to wake. From now on no request wakes the consumer.
    await api.server.restart({ vars: { SILLOK_AUTH: "off", FAILS } });
    await api.appended(`${FAILS}-1`, numbered(1));
    await receiver.until(({ taken }) => taken.some(({ event }) => event.subject === `${FAILS}-1`));
    // The intended failure has happened.
    assert.deepEqual((await api.request("/failed")).json, failed);
  });
}
