/** The code of a process changes amid its run. The process goes on by its stored events, under the new code. */

import assert from "node:assert/strict";
import { test } from "node:test";
import { fileURLToPath } from "node:url";

import { connect, EventStore } from "sillok";

import { all } from "../package/check.ts";
import { streamPath, useApiForEach } from "../support/api.ts";
import { passTime, sentOf, timersOf, until, untilParked } from "../support/timers.ts";

const worker = (file: string) => fileURLToPath(new URL(`../support/${file}`, import.meta.url));
const OLD = worker("old-parcel-worker.ts");
const NEW = worker("new-parcel-worker.ts");
const api = useApiForEach({ entry: OLD });

const order = { type: "Order", data: { item: "pen" } };
const done = (steps: readonly string[]) => ({ items: ["pen"], steps });
const stateUntil = (stream: string, last: string) =>
  until(
    async () => (await api.state(stream)).json.state,
    ({ steps }) => steps?.includes(last),
  );
const whatWasDone = async (stream: string): Promise<string[]> =>
  (await api.read(stream)).json.events.map(({ data }: any) => data.what);

/** Asserts that the helpers were commanded as the new code says, each once. */
async function assertCommanded(): Promise<void> {
  assert.deepEqual(await whatWasDone("stock-pen"), ["reserve"]);
  assert.deepEqual(await whatWasDone("till-pen"), ["charge"]);
  assert.deepEqual((await whatWasDone("post-pen")).toSorted(), ["pack", "tell"]);
}

test("commands that the old code has sent and that failed are answered to the new code", async () => {
  await api.executed("parcel-1", order);
  const failed = await until(
    () => sentOf(api, "parcel-1"),
    (sent) => sent.length === 2 && sent.every(({ failedAttempts }) => failedAttempts > 0),
  );
  assert.deepEqual(failed.map(({ name }) => name).toSorted(), ["reserve", "tell"]);
  await api.server.restart({ entry: NEW });
  await passTime(api, "parcel-1");
  assert.deepEqual(
    await stateUntil("parcel-1", "charged"),
    done(["reserved", "packed", "charged"]),
  );
  // The new code has no function for the answer to `tell`. The command is kept until the end of the process, and no longer.
  await until(
    () => sentOf(api, "parcel-1"),
    (sent) => sent.length === 0,
  );
  assert.deepEqual(await timersOf(api, "parcel-1"), []);
  await assertCommanded();
});

test("parked commands are retried under the new code, and its timers run there", async () => {
  await api.executed("parcel-1", order);
  const parked = await untilParked(api, "parcel-1", sentOf);
  assert.deepEqual(parked.map(({ name }) => name).toSorted(), ["reserve", "tell"]);
  await api.server.kill();
  await api.server.restart({ entry: NEW });
  assert.deepEqual(await sentOf(api, "parcel-1"), parked);
  // Both timers are due. The new code does not know the command of one of them.
  await passTime(api, "parcel-1");
  const [gone] = await until(
    () => timersOf(api, "parcel-1"),
    (timers) => timers.length === 1 && timers[0].state === "parked",
  );
  assert.deepEqual([gone.key, gone.lastError.code], ["gone", "unknown_command"]);
  assert.deepEqual((await api.state("parcel-1")).json.state, done(["reminded"]));
  for (const { id } of parked) {
    const path = `${streamPath("parcel-1")}/sent/${id}/retry`;
    assert.equal((await api.request(path, { method: "POST" })).status, 204);
  }
  const state = await stateUntil("parcel-1", "charged");
  assert.deepEqual(state, done(["reminded", "reserved", "packed", "charged"]));
  await until(
    () => sentOf(api, "parcel-1"),
    (sent) => sent.length === 0,
  );
  await assertCommanded();
  // The end of the process has removed its timers.
  assert.deepEqual(await timersOf(api, "parcel-1"), []);
});

test("the package lists, retries and cancels sent commands of a server", async () => {
  await api.executed("parcel-1", order);
  const parked = await untilParked(api, "parcel-1", sentOf);
  const store = EventStore.connect(api.server.url);
  const parcel = connect<any>(api.server.url).aggregate("parcel", "1");
  for (const listed of [store.sent("parcel-1"), parcel.sent()]) {
    assert.deepEqual(await all(listed), parked);
  }
  const idOf = (sent: string) => parked.find(({ name }) => name === sent).id as string;
  const [tell, reserve] = [idOf("tell"), idOf("reserve")];
  assert.equal(await store.cancelSent("parcel-1", tell), true);
  assert.deepEqual(
    [await store.cancelSent("parcel-1", tell), await parcel.cancelSent(tell)],
    [false, false],
  );
  assert.deepEqual(
    [await store.retrySent("parcel-1", tell), await parcel.retrySent(tell)],
    [false, false],
  );
  for (const wrong of ["", "..", "a\n"]) {
    await assert.rejects(store.cancelSent("parcel-1", wrong), {
      code: "invalid_parameter",
      field: "id",
    });
  }
  // It is attempted again, and fails again.
  assert.equal(await parcel.retrySent(reserve), true);
  const [again] = await until(
    () => all(store.sent("parcel-1")),
    ([sent]) => sent?.state === "due" && sent.failedAttempts > 0,
  );
  assert.deepEqual([again?.id, again?.name, again?.stream], [reserve, "reserve", "stock-pen"]);
  assert.equal(await store.cancelSent("parcel-1", reserve), true);
  assert.deepEqual(await all(parcel.sent()), []);
  assert.deepEqual(
    (await all(parcel.timers())).map(({ key }) => key),
    ["gone", "remind"],
  );
  assert.deepEqual(
    [await parcel.retryTimer("gone"), await parcel.cancelTimer("gone")],
    [false, true],
  );
});

test("workerd is killed while commands are sent, and starts with the new code", async () => {
  for (const [place, instance] of ["parcel-1", "parcel-2", "parcel-3"].entries()) {
    const sending = api.execute(instance, order, { "Idempotency-Key": "o" }).catch(() => undefined);
    if (place < 2) await sending;
  }
  await api.server.kill();
  await api.server.restart({ entry: NEW });
  for (const instance of ["parcel-1", "parcel-2"]) {
    await passTime(api, instance);
    assert.deepEqual(
      await stateUntil(instance, "charged"),
      done(["reserved", "packed", "charged"]),
    );
  }
});
