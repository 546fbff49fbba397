/**
 * The aggregate `tally` of tests/crashes: its code is Rust. A reactor in Rust sends it commands, and so does a route of the
 * Worker's own.
 */

import assert from "node:assert/strict";
import { test } from "node:test";
import { fileURLToPath } from "node:url";

import {
  Api,
  assertProblem,
  freshStream,
  type HeaderValues,
  priceOf,
  type Reply,
  streamPath,
  useApi,
} from "../support/api.ts";
import { settled } from "../support/consumers.ts";
import { secondsFromNow, sign } from "../support/token.ts";

const config = fileURLToPath(new URL("../crashes/wrangler.toml", import.meta.url));
const api = useApi({ config });

function execute(stream: string, command: unknown, headers: HeaderValues = {}): Promise<Reply> {
  const init = { method: "POST", body: JSON.stringify(command), headers };
  return api.request(`${streamPath(stream)}/commands`, init);
}

const add = (n: number) => ({ type: "Add", data: { n } });

async function stateOf(stream: string, query = ""): Promise<unknown> {
  const reply = await api.request(`${streamPath(stream)}/state${query}`);
  assert.equal(reply.status, 200, reply.text);
  return reply.json.state;
}

test("the object decides by the code in Rust, and refuses by its rules", async () => {
  const stream = freshStream("tally");
  const accepted = await execute(stream, add(2));
  assert.equal(accepted.status, 200, accepted.text);
  const [event] = accepted.json.events;
  assert.deepEqual([event.type, event.data, event.schemaVersion], ["Added", { n: 2 }, 2]);
  assert.equal((await execute(stream, add(3))).json.version, 2);
  assert.deepEqual((await execute(stream, add(0))).json.events, []);
  const { rejection } = assertProblem(await execute(stream, add(13)), 422, "command_rejected");
  assert.deepEqual(rejection, { code: "unlucky", data: { n: 13 } });
  assertProblem(await execute(stream, { type: "Take" }), 400, "unknown_command", "type");
  assertProblem(await execute(stream, { type: "Add" }), 400, "invalid_command", "data");
  assert.deepEqual([await stateOf(stream), await stateOf(stream, "?version=1")], [5, 2]);
  assertProblem(await execute(freshStream("other"), add(1)), 404, "no_aggregate");
});

/** The runtime counts one row as read for each insert, because it looks whether the key is there. */
const CHECKED = 1;

test("a warm command reads no rows, and writes one", async () => {
  const stream = freshStream("tally");
  // The second command finds the table that the first has made, and reads its name.
  for (let n = 0; n < 2; n += 1) await execute(stream, add(1));
  await settled(api, "totals");
  const prices = [];
  for (let n = 1; n <= 20; n += 1) prices.push(priceOf(await execute(stream, add(1))));
  assert(
    prices.every(({ read }) => read === CHECKED),
    JSON.stringify(prices),
  );
  assert(
    prices.every(({ written }) => written <= 2),
    JSON.stringify(prices),
  );
  assert(
    prices.some(({ written }) => written === 1),
    JSON.stringify(prices),
  );
});

test("a remembered outcome stands, also a rejection", async () => {
  const stream = freshStream("tally");
  const headers = { "Idempotency-Key": "once" };
  const first = (await execute(stream, add(13), headers)).json;
  await execute(stream, add(1));
  const again = (await execute(stream, add(13), headers)).json;
  assert.deepEqual(again, { ...first, replayed: true });
  assertProblem(await execute(stream, add(1), headers), 422, "idempotency_key_reused");
});

test("a fault of the code writes nothing, and its text stays in the log", async () => {
  const stream = freshStream("tally");
  await execute(stream, add(1));
  const fault = await execute(stream, { type: "Fail", data: { secret: "hunter2" } });
  assertProblem(fault, 500, "decider_failed");
  assert(!fault.text.includes("hunter2"), fault.text);
  assert.equal((await execute(stream, add(1))).json.version, 2);
});

test("a command that crashes the engine writes nothing, and the object works afterwards", async () => {
  const stream = freshStream("tally");
  await execute(stream, add(1));
  const crashed = await execute(stream, { type: "Crash", data: { how: "panic" } });
  assert(crashed.status >= 500, crashed.text);
  const after = await execute(stream, add(1), { "Idempotency-Key": "after" });
  assert.deepEqual([after.status, after.json.version], [200, 2], after.text);
});

test("events that are appended directly are checked by the types in Rust", async () => {
  const stream = freshStream("tally");
  await api.appended(stream, { type: "Added", data: { n: 1 } });
  const read = (await api.read(stream)).json.events[0];
  assert.equal(read.schemaVersion, 2);
  const wrong = (event: unknown) => api.append(stream, event);
  assertProblem(await wrong({ type: "Taken" }), 400, "invalid_event", "type");
  assertProblem(await wrong({ type: "Added", data: {} }), 400, "invalid_event", "data");
  const last = [
    { type: "Added", data: { n: 1 } },
    { type: "Added", data: { n: "1" } },
  ];
  assertProblem(await wrong(last), 400, "invalid_event", "events[1].data");
  const newer = { type: "Added", schemaVersion: 3, data: { n: 1 } };
  assertProblem(await wrong(newer), 400, "invalid_event", "schemaVersion");
  assert.equal(await stateOf(stream), 1);
});

test("the aggregate is listed with its commands and events", async () => {
  const { json } = await api.request("/v1/aggregates");
  const message = (type: string, more = {}) => ({ type, ...more, schema: null });
  assert.deepEqual(json.aggregates, [
    {
      name: "tally",
      kind: "aggregate",
      stateVersion: 1,
      appends: "admin",
      commands: ["Add", "Fail", "Crash"].map((type) => message(type)),
      events: [message("Added", { schemaVersion: 2 })],
    },
  ]);
});

test("a reactor's command takes effect once, and continues the conversation and the trace", async () => {
  const total = async () => (await stateOf("tally-total")) as number;
  await settled(api, "totals");
  const before = await total();
  const stream = freshStream("tally");
  const traceparent = "00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01";
  // The first attempt at 5 crashes after its command.
  await execute(stream, add(5), { "Idempotency-Key": "five", traceparent });
  await settled(api, "totals");
  assert.equal(await total(), before + 5);
  const { events } = (await api.read("tally-total", "?direction=backward&limit=1")).json;
  const { correlationId, causationId, traceparent: trace } = events[0].metadata;
  assert.deepEqual([correlationId, trace], ["five", traceparent]);
  assert.match(causationId, /^[0-9a-f]{32}:0$/);
});

test("a rejected command of a reactor is given up at once", async () => {
  const stream = freshStream("tally");
  const { deadLetters } = await settled(api, "totals");
  await api.appended(stream, { type: "Added", data: { n: 13 } });
  await settled(api, "totals", ({ lag, deadLetters: now }) => lag === 0 && now > deadLetters);
  const { json } = await api.request("/v1/consumers/totals/dead-letters");
  const letter = json.deadLetters.find(({ event }: any) => event?.stream === stream);
  const last = letter ?? json.deadLetters.at(-1);
  assert.deepEqual([last.attempts, last.reason], [1, "failed"]);
  assert.match(last.error, /the rules refuse the command: \{"code":"unlucky","data":\{"n":13\}\}/);
});

test("a reactor reads all pages of a stream, and loads states", async () => {
  // No reactor follows this stream.
  const stream = "tally-total";
  const added = (n: number) => ({ type: "Added", data: { n } });
  for (const n of [1, 2, 3]) await api.appended(stream, Array<unknown>(500).fill(added(n)));
  const { version, state } = (await api.state(stream)).json;
  const question = freshStream("question");
  await api.appended(question, { type: "Asked", data: { of: stream } });
  await settled(api, "answers");
  const [answer] = (await api.read(`answer-${question}`)).json.events;
  const first = await stateOf(stream, "?version=1");
  assert.deepEqual(answer.data, { count: version, state, version, first });
});

test("a read of a deleted stream gives the event of a reactor up at once", async () => {
  const stream = freshStream("tally");
  assert.equal((await api.request(streamPath(stream), { method: "DELETE" })).status, 204);
  const question = freshStream("question");
  await api.appended(question, { type: "Asked", data: { of: stream } });
  await settled(api, "answers");
  const { json } = await api.request("/v1/consumers/answers/dead-letters");
  const [letter, ...more] = json.deadLetters;
  assert.deepEqual([letter.event.stream, letter.attempts, more], [question, 1, []]);
});

test("a route of the Worker's own executes, loads and reads without the network", async () => {
  const stream = freshStream("tally");
  const own = async (id: string, n: number) =>
    (await api.request(`/own/${stream}/${id}/${n}`)).json;
  const first = { outcome: { version: 1, replayed: false }, state: 4, numbers: [4] };
  assert.deepEqual(await own("a", 4), first);
  assert.deepEqual(await own("a", 4), { ...first, outcome: { version: 1, replayed: true } });
  assert.deepEqual((await own("b", 13)).outcome, { unlucky: 13 });
  assert.equal((await own("a", 13)).code, "idempotency_key_reused");
  const elsewhere = await api.request("/own/other-1/a/1");
  assert.deepEqual([elsewhere.json.code, elsewhere.json.field], ["invalid_stream_id", "stream"]);
});

test("only the administrator appends to the aggregate directly", async (t) => {
  const secret = "a secret of the tests, of more than 32 bytes";
  const guarded = new Api();
  await guarded.start({ config, vars: { SILLOK_SECRET: secret } });
  t.after(() => guarded.stop());
  const bearer = (token: string) => ({ Authorization: `Bearer ${token}` });
  const scope = "read append execute";
  const caller = bearer(sign({ scope, exp: secondsFromNow(60) }, secret));
  const event = { type: "Added", data: { n: 1 } };
  assertProblem(await guarded.append("tally-1", event, caller), 403, "insufficient_scope");
  assert.equal((await guarded.append("tally-1", event, bearer(secret))).status, 201);
});
