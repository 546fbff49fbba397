/** Rights around commands: scopes, direct appends, causes, tenants. */

import assert from "node:assert/strict";
import { once } from "node:events";
import { type IncomingMessage, request as send } from "node:http";
import { json } from "node:stream/consumers";
import { test } from "node:test";
import { fileURLToPath } from "node:url";

import { assertProblem, freshStream, streamPath, useApi } from "../support/api.ts";
import { sign } from "../support/token.ts";

const SECRET = "a secret of the tests, of more than 32 bytes";
const entry = fileURLToPath(import.meta.resolve("../support/bank-worker.ts"));
/** Names like that of the place in the environment by which the Worker's own code is known. The place itself is a symbol. */
const FORGED = {
  "sillok.composed": '{"own":{}}',
  "Symbol(sillok.composed)": '{"own":{}}',
  "@@sillok.composed": '{"own":{}}',
  own: "{}",
};
const api = useApi({ entry, vars: { ...FORGED, SILLOK_SECRET: SECRET } });

const as = (claims: object) => ({ Authorization: `Bearer ${sign(claims, SECRET)}` });
const scoped = (scope: string) => as({ scope });
const administrator = { Authorization: `Bearer ${SECRET}` };
const open = { type: "Open", data: { owner: "Ada" } };
const deposited = (cents: unknown) => ({ type: "Deposited", data: { cents } });
const NEEDS = (scope: string) =>
  `Bearer realm="sillok", error="insufficient_scope", scope="${scope}"`;

test("a command needs the scope `execute`, and a state the scope `read`", async () => {
  const stream = freshStream();
  for (const scope of ["", "read", "append", "read append"]) {
    const refused = await api.execute(stream, open, scoped(scope));
    assertProblem(refused, 403, "insufficient_scope");
    assert.equal(refused.headers.get("www-authenticate"), NEEDS("execute"));
  }
  await api.executed(stream, open, scoped("execute"));
  assertProblem(await api.state(stream, "", scoped("execute")), 403, "insufficient_scope");
  assert.equal((await api.state(stream, "", scoped("read"))).status, 200);
  assertProblem(
    await api.append(stream, deposited(1), scoped("execute")),
    403,
    "insufficient_scope",
  );
  assertProblem(await api.execute(stream, open), 401, "missing_token");
  const elsewhere = as({ scope: "execute", streams: "order-*" });
  assertProblem(await api.execute(stream, open, elsewhere), 403, "stream_not_allowed");
});

test("a direct append to a category with an aggregate needs `admin`, and is checked", async () => {
  const stream = freshStream();
  const refused = await api.append(stream, deposited(1), scoped("read append execute"));
  const { detail } = assertProblem(refused, 403, "insufficient_scope");
  assert.match(detail, /has an aggregate/);
  assert.equal(refused.headers.get("www-authenticate"), NEEDS("admin"));
  assert.equal((await api.append(stream, deposited(1), administrator)).status, 201);
  for (const [events, field] of [
    [deposited("1"), "data.cents"],
    [[deposited(1), deposited(0.5)], "events[1].data.cents"],
    [{ type: "Closed" }, "type"],
    [{ ...deposited(1), schemaVersion: 3 }, "schemaVersion"],
  ] as const) {
    assertProblem(await api.append(stream, events, administrator), 400, "invalid_event", field);
  }
  const lines = `${JSON.stringify(deposited(2))}\n\n${JSON.stringify(deposited(3))}\n`;
  const ndjson = { ...administrator, "Content-Type": "application/x-ndjson" };
  assert.equal((await api.append(stream, lines, ndjson)).status, 201);
  const { events } = (await api.read(stream, "", administrator)).json;
  assert.deepEqual(
    events.map(({ schemaVersion }: any) => schemaVersion),
    [2, 2, 2],
  );
  assert.equal((await api.state(stream, "", administrator)).json.state.cents, 6);
});

test('with `appends: "open"`, and without an aggregate, the scope `append` is enough', async () => {
  const counted = { type: "Counted", data: { n: 2 } };
  for (const category of ["tally", "note"]) {
    const reply = await api.append(freshStream(category), counted, scoped("append"));
    assert.equal(reply.status, 201, reply.text);
  }
});

test("only `admin` may set `causationId`", async () => {
  const metadata = { causationId: "forged" };
  const command = { ...open, metadata };
  const stream = freshStream();
  const refused = await api.execute(stream, command, scoped("execute"));
  assertProblem(refused, 403, "insufficient_scope", "metadata.causationId");
  await api.executed(stream, command, administrator);
  const note = { type: "Noted", metadata };
  const escaped = `[{"type":"Noted"},{"type":"Noted","metadata":{"causation\\u0049d":1}}]`;
  for (const [events, field] of [
    [note, "metadata.causationId"],
    [[note], "events[0].metadata.causationId"],
    [escaped, "events[1].metadata.causationId"],
  ] as const) {
    const reply = await api.append(freshStream("note"), events, scoped("append"));
    assertProblem(reply, 403, "insufficient_scope", field);
  }
  const taken = freshStream("note");
  await api.appended(taken, note, administrator);
  const { events } = (await api.read(taken, "", administrator)).json;
  assert.deepEqual(events[0].metadata, metadata);
});

test("tenants do not reach one another by commands and states", async () => {
  const stream = freshStream();
  const tenant = (name: string, scope = "admin") => as({ scope, tenant: name });
  await api.executed(stream, open, tenant("acme"));
  await api.executed(stream, { type: "Deposit", data: { cents: 7 } }, tenant("acme"));
  for (const other of [tenant("other"), administrator]) {
    const { version, state } = (await api.state(stream, "", other)).json;
    assert.deepEqual([version, state], [0, { owner: null, cents: 0 }]);
    const refused = await api.execute(stream, { type: "Withdraw", data: { cents: 1 } }, other);
    assert.deepEqual(refused.json.rejection.data, { missing: 1 });
  }
  const own = await api.request(`/own/${stream.slice("account-".length)}?tenant=acme`);
  assert.deepEqual([own.json.version, own.json.cents], [3, 57]);
  const names = ["acme\u001faccount-1", "\u001facme"].map(encodeURIComponent);
  for (const name of names) {
    const reply = await api.request(`/v1/streams/${name}/state`, { headers: administrator });
    assertProblem(reply, 400, "invalid_stream_id", "stream");
  }
});

test("no name, header or variable makes a caller the Worker's own code", async () => {
  const path = `${streamPath("account-1")}/state`;
  assertProblem(await api.request(path), 401, "missing_token");
  for (const name of ["sillok.composed", "Sillok-Composed", "own"]) {
    const headers = { [name]: '{"own":{}}' };
    assertProblem(await api.request(path, { headers }), 401, "missing_token");
  }
  for (const name of Object.keys(FORGED)) {
    const query = `${encodeURIComponent(name)}=${encodeURIComponent('{"own":{}}')}`;
    assertProblem(await api.request(`${path}?${query}`), 401, "missing_token");
  }
  // The Worker's own client uses this host.
  const { hostname, port } = api.server.url;
  const request = send({ hostname, port, path, headers: { Host: "sillok" } }).end();
  const [response] = (await once(request, "response")) as [IncomingMessage];
  const { code } = (await json(response)) as { code: string };
  assert.deepEqual([response.statusCode, code], [401, "missing_token"]);
});

test("the aggregates are listed with their commands and events", async () => {
  assertProblem(await api.request("/v1/aggregates"), 401, "missing_token");
  const refused = await api.request("/v1/aggregates", { headers: scoped("execute") });
  assertProblem(refused, 403, "insufficient_scope");
  const { status, json } = await api.request("/v1/aggregates", { headers: scoped("read") });
  assert.equal(status, 200);
  const [account, tally] = json.aggregates;
  assert.deepEqual(
    json.aggregates.map(({ name }: any) => name),
    ["account", "tally", "price", "rogue", "tolerant"],
  );
  assert.deepEqual([account.stateVersion, account.appends], [1, "admin"]);
  assert.deepEqual(
    account.commands.map(({ type, schema }: any) => [type, Object.keys(schema.properties)]),
    [
      ["Open", ["owner"]],
      ["Deposit", ["cents"]],
      ["Withdraw", ["cents"]],
    ],
  );
  assert.deepEqual(
    account.events.map(({ type, schemaVersion, schema }: any) => [
      type,
      schemaVersion,
      schema.type,
    ]),
    [
      ["Opened", 1, "object"],
      ["Deposited", 2, "object"],
      ["Withdrawn", 1, "object"],
    ],
  );
  assert.deepEqual([tally.appends, tally.commands, tally.events], ["open", null, null]);
  const posted = await api.request("/v1/aggregates", { method: "POST", headers: administrator });
  assertProblem(posted, 405, "method_not_allowed");
});
