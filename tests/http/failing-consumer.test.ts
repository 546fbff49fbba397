/**
 * A consumer that was not woken is woken later. No event is lost, no append waits for it, and it hides no other consumer.
 */

import assert from "node:assert/strict";
import { test } from "node:test";
import { setTimeout as sleep } from "node:timers/promises";
import { fileURLToPath } from "node:url";

import { numbered, useApi } from "../support/api.ts";
import { settled } from "../support/consumers.ts";
import { useReceiver } from "../support/receiver.ts";

const entry = fileURLToPath(import.meta.resolve("../support/failing-consumer.ts"));
const api = useApi({ entry });
const receiver = useReceiver();

async function wakes(name: string): Promise<number> {
  return (await api.request("/wakes")).json[name] ?? 0;
}

for (const failures of [1, 4]) {
  test(`the wake fails ${failures} times, and every event arrives`, async () => {
    const name = `fails-${failures}`;
    const definition = { kind: "webhook", url: receiver.url, category: `count${failures}` };
    const body = JSON.stringify(definition);
    const put = await api.request(`/v1/consumers/${name}`, { method: "PUT", body });
    assert.equal(put.status, 200, put.text);
    await settled(api, name);
    assert.equal(await wakes(name), 0, "it has found nothing, and nobody has woken it");
    const stream = `count${failures}-1`;
    await api.appended(stream, numbered(1));
    await api.appended(stream, numbered(2, 2));
    await receiver.until(
      ({ taken }) => taken.filter(({ event }) => event.subject === stream).length === 3,
    );
    const end = Date.now() + 30_000;
    while ((await wakes(name)) <= failures) {
      assert(Date.now() < end, "it was woken no more");
      await sleep(20);
    }
    assert.equal((await settled(api, name)).deadLetters, 0);
  });
}

test("a consumer that does not answer is listed, and hides no other", async () => {
  for (const name of ["silent-1", "sound"]) {
    const body = JSON.stringify({ kind: "webhook", url: receiver.url, category: "none" });
    const put = await api.request(`/v1/consumers/${name}`, { method: "PUT", body });
    assert.equal(put.status, 200, put.text);
  }
  await api.request("/silent");
  const { status, json, text } = await api.request("/v1/consumers");
  assert.equal(status, 200, text);
  const found = (name: string) => json.consumers.find((one: any) => one.name === name);
  assert.deepEqual(Object.keys(found("silent-1")), ["name", "status", "error"]);
  assert.deepEqual(
    [found("silent-1").status, found("silent-1").error.code, found("sound").status],
    ["unavailable", "unavailable", "running"],
  );
});
