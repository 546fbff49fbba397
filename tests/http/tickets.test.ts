/** Tickets: short proofs for one path, for callers that cannot send a header. */

import assert from "node:assert/strict";
import { test } from "node:test";

import { assertProblem, eventsPath, freshStream, numbered, useApi } from "../support/api.ts";
import { Follower } from "../support/follower.ts";
import { SocketFollower } from "../support/socket-follower.ts";
import { secondsFromNow, sign } from "../support/token.ts";

const SECRET = "a secret of the tests, of more than 32 bytes";
const api = useApi({ vars: { SILLOK_SECRET: SECRET } });

const as = (claims: object) => ({ Authorization: `Bearer ${sign(claims, SECRET)}` });
const administrator = { Authorization: `Bearer ${SECRET}` };

const ask = (body: string, headers: Record<string, string>) =>
  api.request("/v1/tickets", { method: "POST", headers, body });

async function ticketFor(path: string, headers: Record<string, string>): Promise<string> {
  const reply = await ask(JSON.stringify({ path }), headers);
  assert.equal(reply.status, 201);
  assert.equal(reply.json.path, path);
  const left = Date.parse(reply.json.expires) - Date.now();
  assert.ok(left > 50_000 && left <= 60_000, `${left} ms are left`);
  return reply.json.ticket;
}

test("a ticket reads its path, also live, and nothing else", async (t) => {
  const [stream, other] = [freshStream(), freshStream()];
  await api.appended(stream, numbered(3), administrator);
  await api.appended(other, numbered(1), administrator);
  const ticket = await ticketFor(eventsPath(stream), administrator);

  const page = await api.request(`${eventsPath(stream)}?from=2&ticket=${ticket}&limit=1`);
  assert.equal(page.status, 200);
  assert.deepEqual(
    page.json.events.map(({ version }: { version: number }) => version),
    [2],
  );
  const url = new URL(`${eventsPath(stream)}?from=3&ticket=${ticket}`, api.server.url);
  const [follower, socket] = [await Follower.connect(url), await SocketFollower.connect(url)];
  t.after(() => follower.close());
  t.after(() => socket.close());
  await follower.until(({ events }) => events.length === 1);
  await socket.until(({ events }) => events.length === 1);
  await api.appended(stream, numbered(1, 4), administrator);
  await follower.until(({ events }) => events.at(-1)?.version === 4);
  await socket.until(({ versions }) => versions.at(-1) === 4);

  for (const path of [eventsPath(other), "/v1/events", "/v1/streams", `/v1/streams/${stream}`]) {
    assertProblem(await api.request(`${path}?ticket=${ticket}`), 401, "invalid_token");
  }
  const append = { method: "POST", body: '{"type":"Opened"}' };
  const refused = await api.request(`${eventsPath(stream)}?ticket=${ticket}`, append);
  assertProblem(refused, 403, "insufficient_scope");
});

test("a ticket has the tenant, the streams and the end of its token", async (t) => {
  const [mine, theirs] = [`a-${freshStream()}`, `b-${freshStream()}`];
  const tenant = "acme";
  await api.appended(mine, numbered(1), as({ scope: "append", tenant }));
  await api.appended(theirs, numbered(2), as({ scope: "append", tenant }));
  const claims = { scope: "read append", tenant, streams: ["a-*"] };

  const feed = await ticketFor("/v1/events", as(claims));
  const { json } = await api.request(`/v1/events?ticket=${feed}`);
  assert.deepEqual(
    json.events.map(({ stream }: { stream: string }) => stream),
    [mine],
    "the streams and the tenant of the token",
  );
  const hidden = await ticketFor(eventsPath(theirs), as(claims));
  const reply = await api.request(`${eventsPath(theirs)}?ticket=${hidden}`);
  assertProblem(reply, 403, "stream_not_allowed");

  // The leeway of a token is 60 seconds.
  const exp = secondsFromNow(-57);
  const short = await ask(JSON.stringify({ path: eventsPath(mine) }), as({ ...claims, exp }));
  assert.ok(Date.parse(short.json.expires) - Date.now() < 4000, "it ends with the token");
  const url = new URL(`${eventsPath(mine)}?ticket=${short.json.ticket}`, api.server.url);
  const follower = await Follower.connect(url);
  t.after(() => follower.close());
  assert.equal(await follower.ended, undefined, "the connection ends with the token");
  assertProblem(await api.request(url.pathname + url.search), 401, "invalid_token");
});

test("what is not a ticket is refused", async () => {
  const stream = freshStream();
  await api.appended(stream, numbered(1), administrator);
  const path = eventsPath(stream);
  const ticket = await ticketFor(path, administrator);
  const token = sign({ scope: "read" }, SECRET);
  for (const wrong of ["", "x", "a.b", `${ticket}=`, ticket.slice(1), token, SECRET]) {
    const reply = await api.request(`${path}?ticket=${encodeURIComponent(wrong)}`);
    assertProblem(reply, 401, "invalid_token");
  }
  const twice = await api.request(`${path}?ticket=${ticket}&ticket=${ticket}`);
  assertProblem(twice, 400, "invalid_parameter", "ticket");
  // A ticket is not a token, and the header has priority.
  const authorization = { Authorization: `Bearer ${ticket}` };
  assertProblem(await api.request(path, { headers: authorization }), 401, "invalid_token");
  const both = await api.request(`${path}?ticket=${ticket}`, { headers: authorization });
  assertProblem(both, 401, "invalid_token");
  // A ticket makes no tickets.
  const more = { method: "POST", body: JSON.stringify({ path: "/v1/events" }) };
  assertProblem(await api.request(`/v1/tickets?ticket=${ticket}`, more), 401, "invalid_token");
});

test("a wrong request for a ticket says what is wrong", async () => {
  for (const [body, code, field] of [
    ["", "malformed_json", undefined],
    ["{}", "invalid_parameter", "path"],
    ['{"path":"/v1/events?limit=1"}', "invalid_parameter", "path"],
    ['{"path":"events"}', "invalid_parameter", "path"],
    ['{"path":"/v1/events","for":1}', "invalid_parameter", "for"],
  ] as const) {
    const reply = await ask(body, administrator);
    assertProblem(reply, 400, code, field);
  }
  assertProblem(await ask('{"path":"/v1/events"}', {}), 401, "missing_token");
  const appender = as({ scope: "append" });
  assertProblem(await ask('{"path":"/v1/events"}', appender), 403, "insufficient_scope");
  assertProblem(
    await api.request("/v1/tickets", { headers: administrator }),
    405,
    "method_not_allowed",
  );
});
