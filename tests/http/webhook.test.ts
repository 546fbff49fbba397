/** Webhooks: every event, signed, at least once. An event that cannot be delivered becomes a dead letter. */

import assert from "node:assert/strict";
import { test } from "node:test";

import { Webhook } from "standardwebhooks";

import { assertProblem, freshStream, numbered, useApi } from "../support/api.ts";
import { settled, statusOf } from "../support/consumers.ts";
import { useReceiver } from "../support/receiver.ts";

const api = useApi();
const receiver = useReceiver();

/** Defines a webhook over its own category, and returns both. */
async function webhook(
  options: object = {},
): Promise<{ name: string; category: string; secret: string }> {
  const category = freshStream("hook").replaceAll("-", "");
  const name = `hook-${category}`;
  const definition = {
    kind: "webhook",
    url: receiver.url,
    category,
    firstDelay: 20,
    longestDelay: 50,
  };
  const reply = await put(name, { ...definition, ...options });
  assert.equal(reply.status, 200, reply.text);
  return { name, category, secret: reply.json.secret };
}

function put(name: string, definition: unknown) {
  const body = JSON.stringify(definition);
  return api.request(`/v1/consumers/${encodeURIComponent(name)}`, { method: "PUT", body });
}

function of(category: string) {
  return ({ event }: { event: any }) => event.subject.startsWith(`${category}-`);
}

test("every event of a category comes as a signed CloudEvent", async () => {
  receiver.answer = () => 204;
  const { category, secret } = await webhook();
  await api.appended(`${category}-1`, numbered(3));
  await api.appended("other-1", numbered(1));
  await receiver.until(({ taken }) => taken.filter(of(category)).length === 3);
  const { events } = (await api.read(`${category}-1`)).json;
  for (const [place, { headers, body, event }] of receiver.taken.filter(of(category)).entries()) {
    const { id, type, time, data, version } = events[place];
    assert.equal(headers["content-type"], "application/cloudevents+json");
    new Webhook(secret).verify(body, headers);
    assert.throws(() => new Webhook(secret).verify(body.replace("1.0", "1.1"), headers));
    const { sequence, ...rest } = event;
    assert.match(sequence, /^\d+$/);
    assert.deepEqual(rest, {
      specversion: "1.0",
      id: `${category}-1@${version}`,
      source: `/v1/streams/${category}-1`,
      type,
      subject: `${category}-1`,
      time,
      streamversion: `${version}`,
      eventid: id,
      datacontenttype: "application/json",
      data,
    });
  }
});

test("a receiver that fails four times gets each event, each time under the same id", async () => {
  const failures = new Map<string, number>();
  receiver.answer = ({ id }) => {
    const failed = failures.get(id) ?? 0;
    failures.set(id, failed + 1);
    return failed < 4 ? 500 : 200;
  };
  const { name, category } = await webhook();
  await api.appended(`${category}-1`, numbered(3));
  await receiver.until(({ taken }) => taken.filter(of(category)).length === 3);
  const mine = receiver.received.filter(of(category));
  assert.deepEqual(
    mine.filter(({ status }) => status === 200).map(({ event }) => event.data.n),
    [1, 2, 3],
  );
  assert.equal(mine.length, 15);
  assert.equal(new Set(mine.map(({ headers }) => headers["webhook-id"])).size, 3);
  const { deadLetters, lastError } = await statusOf(api, name);
  assert.equal(deadLetters, 0);
  assert.equal(lastError.message, "the receiver answered with the status 500");
});

test("one event that always fails becomes a dead letter, the others go on, and retry delivers it", async () => {
  let mended = false;
  receiver.answer = ({ data }) => (data.n === 2 && !mended ? 503 : 200);
  const { name, category } = await webhook({ attempts: 3 });
  await api.appended(`${category}-1`, numbered(4));
  await receiver.until(({ taken }) => taken.filter(of(category)).length === 3);
  const taken = () => receiver.taken.filter(of(category)).map(({ event }) => event.data.n);
  assert.deepEqual(taken(), [1, 3, 4]);
  const letters = await api.request(`/v1/consumers/${name}/dead-letters`);
  const [{ id, reason, error, attempts, time, event }] = letters.json.deadLetters;
  assert.deepEqual([id, reason, attempts, event.data.n], [1, "failed", 3, 2]);
  assert.equal(error, "the receiver answered with the status 503");
  assert.match(time, /^\d{4}-.*Z$/);
  assert.deepEqual([letters.json.deadLetters.length, letters.json.next], [1, null]);
  mended = true;
  const reply = await api.request(`/v1/consumers/${name}/retry`, { method: "POST" });
  assert.equal(reply.status, 200, reply.text);
  await receiver.until(() => taken().length === 4);
  assert.deepEqual(taken(), [1, 3, 4, 2]);
  await settled(api, name, ({ deadLetters }) => deadLetters === 0);
});

test("a stream is held back behind its event that fails, and others are not", async () => {
  let mended = false;
  receiver.answer = ({ data, subject }) =>
    data.n === 1 && subject.endsWith("-1") && !mended ? 500 : 200;
  const { name, category } = await webhook({ attempts: 2, onFailure: "hold-stream" });
  await api.appended(`${category}-1`, numbered(3));
  await api.appended(`${category}-2`, numbered(2));
  await settled(api, name, ({ deadLetters }) => deadLetters === 3);
  const taken = () =>
    receiver.taken
      .filter(of(category))
      .map(({ event }) => `${event.subject.slice(-1)}@${event.data.n}`);
  await receiver.until(() => taken().length === 2);
  assert.deepEqual(taken(), ["2@1", "2@2"]);
  mended = true;
  await api.request(`/v1/consumers/${name}/retry`, { method: "POST" });
  await receiver.until(() => taken().length === 5);
  assert.deepEqual(taken().slice(2), ["1@1", "1@2", "1@3"]);
});

test("a stopped consumer continues when it is resumed", async () => {
  let mended = false;
  receiver.answer = ({ data }) => (data.n === 2 && !mended ? 500 : 200);
  const { name, category } = await webhook({ attempts: 2, onFailure: "stop" });
  await api.appended(`${category}-1`, numbered(3));
  await settled(api, name, ({ status }) => status === "stopped");
  mended = true;
  await api.request(`/v1/consumers/${name}/resume`, { method: "POST" });
  await receiver.until(({ taken }) => taken.filter(of(category)).length === 3);
  assert.deepEqual(
    receiver.taken.filter(of(category)).map(({ event }) => event.data.n),
    [1, 2, 3],
  );
});

test("a paused consumer keeps its place", async () => {
  receiver.answer = () => 200;
  const { name, category } = await webhook();
  await api.appended(`${category}-1`, numbered(2));
  await receiver.until(({ taken }) => taken.filter(of(category)).length === 2);
  const paused = await api.request(`/v1/consumers/${name}/pause`, { method: "POST" });
  assert.equal(paused.json.status, "paused");
  await api.appended(`${category}-1`, numbered(2, 3));
  await settled(api, name, ({ lag }) => lag >= 2);
  await api.request(`/v1/consumers/${name}/resume`, { method: "POST" });
  await receiver.until(({ taken }) => taken.filter(of(category)).length === 4);
});

test("a redirect is not followed", async () => {
  receiver.answer = () => 307;
  const { name, category } = await webhook({ attempts: 1 });
  await api.appended(`${category}-1`, numbered(1));
  await settled(api, name, ({ deadLetters }) => deadLetters === 1);
  assert.equal(
    (await statusOf(api, name)).lastError.message,
    "the receiver answered with the status 307",
  );
  assert.equal(receiver.received.filter(of(category)).length, 1);
});

test("several events are sent at once, and no two of one stream", async () => {
  const open = new Set<string>();
  let most = 0;
  let go = (_: number) => {};
  const three = new Promise<number>((resolve) => (go = resolve));
  receiver.answer = async ({ subject }) => {
    assert(!open.has(subject), `two of ${subject} at once`);
    open.add(subject);
    most = Math.max(most, open.size);
    if (open.size === 3) go(200);
    const status = await three;
    open.delete(subject);
    return status;
  };
  const { name, category } = await webhook({ concurrency: 3 });
  await api.request(`/v1/consumers/${name}/pause`, { method: "POST" });
  await Promise.all([1, 2, 3, 4].map((n) => api.appended(`${category}-${n}`, numbered(5))));
  await settled(api, name, ({ lag }) => lag >= 20);
  const resumed = await api.request(`/v1/consumers/${name}/resume`, { method: "POST" });
  assert.equal(resumed.json.concurrency, 3);
  await receiver.until(({ taken }) => taken.filter(of(category)).length === 20);
  assert.equal(most, 3);
  for (const n of [1, 2, 3, 4]) {
    const mine = receiver.received.filter(({ event }) => event.subject === `${category}-${n}`);
    assert.deepEqual(
      mine.map(({ event }) => event.data.n),
      [1, 2, 3, 4, 5],
    );
  }
});

test("where one of several fails, the others are not repeated, and its stream is held", async () => {
  let mended = false;
  receiver.answer = ({ data, subject }) =>
    subject.endsWith("-2") && data.n === 2 && !mended ? 500 : 200;
  const options = { concurrency: 6, attempts: 3, onFailure: "hold-stream" };
  const { name, category } = await webhook(options);
  await Promise.all([1, 2, 3, 4, 5].map((n) => api.appended(`${category}-${n}`, numbered(4))));
  await settled(api, name, ({ deadLetters }) => deadLetters === 3);
  const taken = () => receiver.taken.filter(of(category)).map(({ event }) => event);
  await receiver.until(() => taken().length === 17);
  mended = true;
  await api.request(`/v1/consumers/${name}/retry`, { method: "POST" });
  await receiver.until(() => taken().length === 20);
  assert.equal(receiver.received.filter(of(category)).length, 20 + 3);
  for (const n of [1, 2, 3, 4, 5]) {
    const mine = taken().filter(({ subject }) => subject === `${category}-${n}`);
    assert.deepEqual(
      mine.map(({ data }) => data.n),
      [1, 2, 3, 4],
    );
  }
});

test("a deleted consumer is gone, and a new one of its name begins anew", async () => {
  receiver.answer = () => 200;
  const { name, category } = await webhook();
  await api.appended(`${category}-1`, numbered(1));
  await receiver.until(({ taken }) => taken.filter(of(category)).length === 1);
  assert.equal((await api.request(`/v1/consumers/${name}`, { method: "DELETE" })).status, 204);
  assertProblem(await api.request(`/v1/consumers/${name}`), 404, "consumer_not_found");
  const names = (await api.request("/v1/consumers")).json.consumers.map((one: any) => one.name);
  assert(!names.includes(name));
  await put(name, { kind: "webhook", url: receiver.url, category });
  await receiver.until(({ taken }) => taken.filter(of(category)).length === 2);
});

test("to define and to delete a consumer at once leaves it whole or gone", async () => {
  for (let round = 1; round <= 10; round += 1) {
    const name = freshStream("torn");
    const definition = { kind: "webhook", url: receiver.url, category: "torn" };
    const remove = () => api.request(`/v1/consumers/${name}`, { method: "DELETE" });
    const changes = [0, 1, 2, 3, 4, 5].map((n) =>
      (n + round) % 2 === 0 ? put(name, definition) : remove(),
    );
    for (const { status, text } of await Promise.all(changes)) {
      assert([200, 204, 404].includes(status), text);
    }
    const isThere = (await api.request(`/v1/consumers/${name}`)).status === 200;
    const { partitions } = (await api.request("/v1/journal")).json;
    for (const { consumers } of partitions) assert.equal(consumers.includes(name), isThere);
    assert.equal((await put(name, definition)).status, 200);
    assert.equal((await remove()).status, 204);
  }
});

test("to put a consumer again changes it and keeps its place and its secret", async () => {
  receiver.answer = () => 200;
  const { name, category, secret } = await webhook();
  await api.appended(`${category}-1`, numbered(1));
  await receiver.until(({ taken }) => taken.filter(of(category)).length === 1);
  const changed = await put(name, {
    kind: "webhook",
    url: `${receiver.url}?b`,
    category,
    attempts: 2,
  });
  assert.deepEqual([changed.json.secret, changed.json.attempts], [secret, 2]);
  assert.equal((await statusOf(api, name)).secret, undefined);
  await api.appended(`${category}-1`, numbered(1, 2));
  await receiver.until(({ taken }) => taken.filter(of(category)).length === 2);
  assertProblem(
    await put(name, { kind: "queue", binding: "Q" }),
    409,
    "consumer_kind_fixed",
    "kind",
  );
});

test("another definition ends the wait for the next attempt, and nothing else does", async () => {
  receiver.answer = ({ subject }) => (subject === "mended-1" ? 500 : 200);
  const wrong = { kind: "webhook", url: receiver.url, category: "mended", firstDelay: 3_600_000 };
  const definition = { ...wrong, longestDelay: 3_600_000 };
  assert.equal((await put("mended", definition)).status, 200);
  await api.appended("mended-1", numbered(1));
  const waiting = await settled(api, "mended", ({ failures }) => failures === 1);
  const same = await put("mended", definition);
  assert.deepEqual([same.json.failures, same.json.retryAt], [1, waiting.retryAt]);
  receiver.answer = () => 200;
  const mended = await put("mended", { ...definition, url: `${receiver.url}?mended` });
  assert.equal(mended.status, 200);
  const { lag, failures, deadLetters } = await settled(api, "mended");
  assert.deepEqual([lag, failures, deadLetters], [0, 0, 0]);
});

test("an invalid consumer is refused, and nothing of it is stored", async () => {
  const url = receiver.url;
  for (const [definition, code, field] of [
    ["{", "malformed_json", undefined],
    [{}, "invalid_consumer", "kind"],
    [{ kind: "webhook" }, "invalid_consumer", "url"],
    [{ kind: "webhook", url: "http://example.com/" }, "invalid_consumer", "url"],
    [{ kind: "webhook", url, secret: "short" }, "invalid_consumer", "secret"],
    [{ kind: "webhook", url, attempts: 0 }, "invalid_policy", "attempts"],
    [{ kind: "webhook", url, concurrency: 7 }, "invalid_consumer", "concurrency"],
    [{ kind: "webhook", url, types: ["a\nb"] }, "invalid_event_type", "types"],
    // The package refuses `readAll({ types: [] })` too.
    [{ kind: "webhook", url, types: [] }, "invalid_consumer", "types"],
    [{ kind: "webhook", url, colour: "red" }, "invalid_consumer", "colour"],
    [{ kind: "projection" }, "invalid_consumer", "kind"],
    [{ kind: "nope" }, "invalid_consumer", "kind"],
    [{ kind: "webhook", url: 7 }, "invalid_consumer", "url"],
    [{ kind: "webhook", url: "https://example.com:0/" }, "invalid_consumer", "url"],
    [{ kind: "webhook", url, attempts: 1.5 }, "invalid_consumer", "attempts"],
    [{ kind: "queue" }, "invalid_consumer", "binding"],
  ] as const) {
    const body = typeof definition === "string" ? definition : JSON.stringify(definition);
    const reply = await api.request("/v1/consumers/wrong", { method: "PUT", body });
    assertProblem(reply, 400, code, field);
  }
  assertProblem(await api.request("/v1/consumers/wrong"), 404, "consumer_not_found");
  assertProblem(
    await put("a\u0007b", { kind: "webhook", url }),
    400,
    "invalid_consumer_name",
    "name",
  );
  const rebuilt = await webhook();
  const rebuild = await api.request(`/v1/consumers/${rebuilt.name}/rebuild`, { method: "POST" });
  assertProblem(rebuild, 409, "not_a_projection");
  assertProblem(
    await api.request("/v1/consumers/x", { method: "POST" }),
    405,
    "method_not_allowed",
  );
});
