/** A process follows events of other streams: each reaches its instance once, and a poisoned instance is alone with its fault. */

import assert from "node:assert/strict";
import { test } from "node:test";
import { fileURLToPath } from "node:url";
import { setTimeout as sleep } from "node:timers/promises";

import { connect, EventStore } from "sillok";

import { Api, assertProblem, priceOf, streamPath, useApi } from "../support/api.ts";
import { settled, statusOf } from "../support/consumers.ts";
import { sentOf, until, untilParked } from "../support/timers.ts";

const entry = fileURLToPath(import.meta.resolve("../support/delivery-worker.ts"));
const api = useApi({ entry });

const placed = (delivery: string | null, rest = {}) => ({
  type: "Placed",
  data: { delivery, ...rest },
});
const changed = (delivery: string, n: number) => ({ type: "Changed", data: { delivery, n } });
const stateUntilOf = (of: Api, stream: string, status: string) =>
  until(
    async () => (await of.state(stream)).json.state,
    (state) => state.status === status,
  );
const stateUntil = (stream: string, status: string) => stateUntilOf(api, stream, status);
const letters = async (): Promise<any[]> =>
  (await api.request("/v1/consumers/delivery/dead-letters")).json.deadLetters;
const sentPath = (stream: string, id: string) => `${streamPath(stream)}/sent/${id}`;

test("the process is a consumer of its own kind", async () => {
  const { kind, category, types } = await settled(api, "delivery");
  assert.deepEqual([kind, category], ["process", "cart"]);
  assert.deepEqual(types?.toSorted(), ["Changed", "Placed"]);
  const { consumers } = (await api.request("/v1/consumers")).json;
  assert.deepEqual(
    consumers.map(({ name, kind }: any) => [name, kind]),
    [["delivery", "process"]],
  );
  const { aggregates } = (await api.request("/v1/aggregates")).json;
  assert.deepEqual(
    aggregates.map(({ name, kind }: any) => [name, kind]),
    [
      ["depot", "aggregate"],
      ["delivery", "process"],
    ],
  );
});

test("an event starts its instance, with the cause and the correlation of the event", async () => {
  const metadata = { correlationId: "c-1" };
  await api.appended("cart-1", [{ ...placed("1"), metadata }, changed("1", 7)]);
  const state = await stateUntil("delivery-1", "picked");
  assert.deepEqual(state, { started: 1, status: "picked", notes: [7] });
  const events = (await api.read("delivery-1")).json.events;
  const started = events.find(({ type }: any) => type === "Started");
  assert.equal(started.metadata.correlationId, "c-1");
  assert.ok(started.metadata.causationId);
  const [picked] = (await api.read("depot-1")).json.events;
  assert.equal(picked.metadata.correlationId, "c-1");
  assert.deepEqual(await sentOf(api, "delivery-1"), []);
});

test("an event before the start, one after the end and one for no instance change nothing", async () => {
  await api.appended("cart-2", [changed("2", 1), placed(null)]);
  await settled(api, "delivery");
  assert.equal(await api.version("delivery-2"), 0);
  await api.appended("cart-2", placed("2"));
  await stateUntil("delivery-2", "picked");
  await api.executed("delivery-2", { type: "Finish" });
  const version = await api.version("delivery-2");
  await api.appended("cart-2", [changed("2", 2), placed("2"), placed("2", { poison: true })]);
  const { deadLetters } = await settled(api, "delivery");
  assert.equal(deadLetters, 0);
  assert.equal(await api.version("delivery-2"), version);
  const refused = await api.execute("delivery-2", { type: "Finish" });
  assert.deepEqual(assertProblem(refused, 422, "command_rejected").rejection, {
    code: "process_ended",
  });
});

test("an answer after the end changes nothing, and nothing stays open", async () => {
  await api.appended("cart-3", placed("late", { broken: true }));
  await untilParked(api, "delivery-late", sentOf);
  await api.executed("delivery-late", { type: "Finish" });
  const version = await api.version("delivery-late");
  const [sent, ...others] = await sentOf(api, "delivery-late");
  assert.deepEqual(others, []);
  await api.executed("depot-1", { type: "Mend", data: {} });
  const retried = await api.request(`${sentPath("delivery-late", sent.id)}/retry`, {
    method: "POST",
  });
  assert.equal(retried.status, 204);
  await until(
    () => sentOf(api, "delivery-late"),
    (all) => all.length === 0,
  );
  assert.equal(await api.version("delivery-late"), version);
});

test("a rejected command is an answer", async () => {
  await api.appended("cart-4", placed("refused-4"));
  await stateUntil("delivery-refused-4", "refused");
  const { events } = (await api.read("delivery-refused-4")).json;
  assert.deepEqual(events.at(-1).data, { code: "sold_out" });
});

test("a poisoned event becomes a dead letter, and other instances go on", async () => {
  await api.appended("cart-5", [placed("5-before"), placed("5-poisoned", { poison: true })]);
  await api.appended("cart-6", [placed("5-other"), changed("5-poisoned", 1)]);
  await stateUntil("delivery-5-before", "picked");
  await stateUntil("delivery-5-other", "picked");
  const { deadLetters } = await settled(
    api,
    "delivery",
    ({ lag, deadLetters }) => lag === 0 && deadLetters > 0,
  );
  assert.equal(deadLetters, 1);
  const [letter] = await letters();
  assert.deepEqual([letter.event.stream, letter.event.version], ["cart-5", 2]);
  assert.equal(letter.attempts, 3);
  assert.equal(await api.version("delivery-5-poisoned"), 0);
  // The same event fails again, and stays a dead letter.
  await api.request("/v1/consumers/delivery/retry", { method: "POST" });
  await settled(api, "delivery", ({ retrying, deadLetters }) => !retrying && deadLetters === 1);
  const path = `/v1/consumers/delivery/dead-letters/${letter.id}`;
  const [again] = await letters();
  const discarded = await api.request(path.replace(/\d+$/, `${again.id}`), { method: "DELETE" });
  assert.equal(discarded.status, 204);
  assert.deepEqual(await letters(), []);
});

test("a poisoned command is parked alone, can be looked at, and is retried or cancelled by request", async (t) => {
  // A depot of this test alone is not needed: the events of the others say that they went on.
  const own = new Api();
  await own.start({ entry });
  t.after(() => own.stop());
  const carts = ["a", "b", "c"].map((id) => placed(id, { broken: id !== "c" }));
  await own.appended("cart-1", carts);
  const status = (id: string) =>
    own.state(`delivery-${id}`).then((reply) => reply.json.state.status);
  await until(
    () => status("c"),
    (found) => found === "picked",
  );
  const [parked] = await untilParked(own, "delivery-a", sentOf);
  assert.deepEqual(
    [parked.name, parked.stream, parked.state, parked.failedAttempts, parked.lastError.code],
    ["pick", "depot-1", "parked", 16, "decider_failed"],
  );
  const { type, data } = parked.command;
  assert.deepEqual({ type, data }, { type: "Pick", data: { delivery: "a", broken: true } });
  assert.doesNotMatch(parked.lastError.detail, /broken/);
  await untilParked(own, "delivery-b", sentOf);
  // Other instances go on.
  await own.appended("cart-1", placed("d"));
  await until(
    () => status("d"),
    (found) => found === "picked",
  );
  assert.equal((await statusOf(own, "delivery")).deadLetters, 0);

  const [cancelled] = await sentOf(own, "delivery-b");
  const gone = sentPath("delivery-b", cancelled.id);
  assert.equal((await own.request(gone, { method: "DELETE" })).status, 204);
  assertProblem(await own.request(gone, { method: "DELETE" }), 404, "sent_command_not_found");
  for (const act of ["retry", "reject"]) {
    const body = act === "reject" ? '{"code":"lost"}' : null;
    const reply = await own.request(`${gone}/${act}`, { method: "POST", body });
    assertProblem(reply, 404, "sent_command_not_found");
  }
  await own.executed("depot-1", { type: "Mend", data: {} });
  const path = sentPath("delivery-a", parked.id);
  const retried = await own.request(`${path}/retry`, { method: "POST" });
  assert.equal(retried.status, 204, retried.text);
  assert(priceOf(retried).written >= 1);
  await until(
    () => status("a"),
    (found) => found === "picked",
  );
  assert.equal(await status("b"), "started");
  for (const id of ["a", "b"]) assert.deepEqual(await sentOf(own, `delivery-${id}`), []);
});

test("a parked command is rejected by request, and the receiver's deletion is a rejection", async (t) => {
  const own = new Api();
  await own.start({ entry });
  t.after(() => own.stop());
  await own.appended("cart-1", placed("a", { broken: true }));
  const [parked] = await untilParked(own, "delivery-a", sentOf);
  const path = `${sentPath("delivery-a", parked.id)}/reject`;
  const reject = (body: string) => own.request(path, { method: "POST", body });
  for (const [body, code, field] of [
    ["", "malformed_json", undefined],
    ["[]", "invalid_parameter", "rejection"],
    ["{}", "invalid_parameter", "code"],
    ['{"code":"lost","reason":"x"}', "invalid_parameter", "reason"],
  ] as const) {
    const reply = await reject(body);
    assertProblem(reply, 400, code, field);
  }
  assert.deepEqual(await sentOf(own, "delivery-a"), [parked]);
  assert.equal((await reject('{"code":"lost","data":{"by":"hand"}}')).status, 204);
  await stateUntilOf(own, "delivery-a", "refused");
  assertProblem(await reject('{"code":"lost"}'), 404, "sent_command_not_found");

  assert.equal((await own.request(streamPath("depot-1"), { method: "DELETE" })).status, 204);
  await own.appended("cart-1", placed("b"));
  await stateUntilOf(own, "delivery-b", "refused");
  const codes = [];
  for (const id of ["a", "b"]) {
    const events = (await own.read(`delivery-${id}`)).json.events;
    codes.push(events.at(-1).data.code);
    assert.deepEqual(await sentOf(own, `delivery-${id}`), []);
  }
  assert.deepEqual(codes, ["lost", "stream_deleted"]);
});

test("the package rejects parked commands of a server", async (t) => {
  const own = new Api();
  await own.start({ entry });
  t.after(() => own.stop());
  await own.appended("cart-1", [placed("a", { broken: true }), placed("b", { broken: true })]);
  const [store, client] = [EventStore.connect(own.server.url), connect<any>(own.server.url)];
  for (const [id, rejectSent] of [
    ["a", (...of: [id: string, rejection: any]) => store.rejectSent("delivery-a", ...of)],
    [
      "b",
      (...of: [id: string, rejection: any]) => client.aggregate("delivery", "b").rejectSent(...of),
    ],
  ] as const) {
    const stream = `delivery-${id}`;
    const [parked] = await untilParked(own, stream, sentOf);
    for (const [wrong, field] of [
      [undefined, "rejection"],
      [[], "rejection"],
      [{}, "code"],
      [{ code: "lost", reason: "x" }, "reason"],
      [{ code: "lost", data: NaN }, "rejection.data"],
    ] as const) {
      await assert.rejects(rejectSent(parked.id, wrong), { code: "invalid_parameter", field });
    }
    for (const wrong of ["", "..", "a\n"]) {
      const refused = { code: "invalid_parameter", field: "id" };
      await assert.rejects(rejectSent(wrong, { code: "lost" }), refused);
    }
    assert.equal(await rejectSent("unknown", { code: "lost" }), false);
    assert.deepEqual(await sentOf(own, stream), [parked]);
    assert.equal(await rejectSent(parked.id, { code: `lost-${id}`, data: { by: "hand" } }), true);
    await stateUntilOf(own, stream, "refused");
    const { events } = (await own.read(stream)).json;
    assert.deepEqual(events.at(-1).data, { code: `lost-${id}` });
    assert.equal(await rejectSent(parked.id, { code: "lost" }), false);
  }
});

test("each event takes effect once in its instance in 4 kills", async (t) => {
  const own = new Api();
  await own.start({ entry });
  t.after(() => own.stop());
  const [rounds, each] = [4, 8];
  let appended = 0;
  for (let round = 1; round <= rounds; round += 1) {
    for (let n = 0; n < each; n += 1) {
      const id = `${round}-${n}`;
      await own.appended(`cart-${n}`, [placed(id), changed(id, round)]);
      appended += 1;
    }
    await sleep(Math.random() * 300);
    await own.server.kill();
    await own.server.restart();
  }
  await settled(own, "delivery", ({ lag, retryAt }) => lag === 0 && retryAt === null);
  for (let round = 1; round <= rounds; round += 1) {
    for (let n = 0; n < each; n += 1) {
      const stream = `delivery-${round}-${n}`;
      const state = await until(
        async () => (await own.state(stream)).json.state,
        ({ status }) => status === "picked",
      );
      assert.deepEqual(state, { started: 1, status: "picked", notes: [round] }, stream);
      assert.deepEqual(await sentOf(own, stream), []);
    }
  }
  const picked = (await own.read("depot-1")).json.events;
  assert.equal(picked.length, appended);
});
