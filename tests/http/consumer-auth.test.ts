/** The rights that consumers and documents need. */

import assert from "node:assert/strict";
import { fileURLToPath } from "node:url";
import { test } from "node:test";

import { assertProblem, numbered, useApi } from "../support/api.ts";
import { Follower } from "../support/follower.ts";
import { sign } from "../support/token.ts";

const SECRET = "a secret of the tests, of more than 32 bytes";
const entry = fileURLToPath(new URL("../support/own-worker.ts", import.meta.url));
const api = useApi({ entry, vars: { SILLOK_SECRET: SECRET } });

const as = (claims: object) => ({ Authorization: `Bearer ${sign(claims, SECRET)}` });
const admin = (tenant: string) => as({ scope: "admin", tenant });
const webhook = JSON.stringify({ kind: "webhook", url: "https://example.invalid/" });

const READS = [
  "consumers",
  "consumers/sums",
  "consumers/sums/dead-letters",
  "projections/sums/documents",
  "projections/sums/documents/count-1",
];
const ACTS = [
  ["PUT", "consumers/hook"],
  ["POST", "consumers/sums/pause"],
  ["POST", "consumers/sums/resume"],
  ["POST", "consumers/sums/retry"],
  ["POST", "consumers/sums/rebuild"],
  ["DELETE", "consumers/hook"],
] as const;

const ask = (path: string, headers: Record<string, string>, method = "GET") =>
  api.request(`/v1/${path}`, { method, headers, ...(method === "PUT" && { body: webhook }) });

test("tenants have documents, webhooks and places of their own", async () => {
  for (const [tenant, events] of Object.entries({ a: 1, b: 2, c: 3 })) {
    await api.appended("count-1", numbered(events), admin(tenant));
  }
  for (const [tenant, events] of Object.entries({ a: 1, b: 2, c: 3 })) {
    const path = `projections/sums/documents/count-1?min=count-1@${events}`;
    assert.equal((await ask(path, admin(tenant))).json.events, events);
  }
  assert.equal((await ask("consumers/hook", admin("a"), "PUT")).status, 200);
  assert.equal((await ask("consumers/sums/pause", admin("a"), "POST")).json.status, "paused");
  assertProblem(await ask("consumers/hook", admin("b")), 404, "consumer_not_found");
  assertProblem(await ask("consumers/hook", admin("b"), "DELETE"), 404, "consumer_not_found");
  assert.equal((await ask("consumers/sums", admin("b"))).json.status, "running");
  const names = async (tenant: string): Promise<string[]> =>
    (await ask("consumers", admin(tenant))).json.consumers.map(({ name }: any) => name);
  assert((await names("a")).includes("hook"));
  assert(!(await names("b")).includes("hook"));
});

test("a follower of documents gets those of its own tenant only", async () => {
  const path = new URL("/v1/projections/sums/documents", api.server.url);
  const follow = (tenant: string) => Follower.connect(path, admin(tenant));
  const [one, other] = [await follow("live-a"), await follow("live-b")];
  await api.appended("count-a", numbered(1), admin("live-a"));
  await api.appended("count-b", numbered(2), admin("live-b"));
  const puts = ({ events }: { events: any[] }) => events.filter(({ kind }) => kind === "put");
  const hasAll = (follower: { events: any[] }) => puts(follower).at(-1)?.document.events >= 1;
  await one.until(hasAll);
  await other.until(hasAll);
  assert.deepEqual(new Set(puts(one).map(({ key }) => key)), new Set(["count-a"]));
  assert.deepEqual(new Set(puts(other).map(({ key }) => key)), new Set(["count-b"]));
  await Promise.all([one.close(), other.close()]);
});

test("a ticket follows the documents of its path", async () => {
  await api.appended("count-1", numbered(1), admin("ticket"));
  const path = "/v1/projections/sums/documents";
  const init = { method: "POST", headers: admin("ticket"), body: JSON.stringify({ path }) };
  const { ticket } = (await api.request("/v1/tickets", init)).json;
  const url = new URL(`${path}?prefix=count&ticket=${ticket}`, api.server.url);
  const follower = await Follower.connect(url);
  await follower.until(({ events }) => events.some(({ kind }) => kind === "caught-up"));
  await follower.close();
});

test("to follow documents needs the scope read, and all streams", async () => {
  const live = (headers: Record<string, string>) =>
    ask("projections/sums/documents", { Accept: "text/event-stream", ...headers });
  assertProblem(await live({}), 401, "missing_token");
  assertProblem(await live(as({ scope: "append" })), 403, "insufficient_scope");
  const some = as({ scope: "admin", streams: ["count-*"] });
  assertProblem(await live(some), 403, "stream_not_allowed");
});

test("to read needs the scope read, all else the scope admin", async () => {
  await api.appended("count-1", numbered(1), admin("scopes"));
  const min = "projections/sums/documents/count-1?min=count-1@1";
  assert.equal((await ask(min, admin("scopes"))).status, 200);
  const [reader, writer] = ["read", "append"].map((scope) => as({ scope, tenant: "scopes" }));
  for (const path of READS) {
    assert.equal((await ask(path, reader!)).status, 200, path);
    assertProblem(await ask(path, writer!), 403, "insufficient_scope");
    assertProblem(await ask(path, {}), 401, "missing_token");
  }
  for (const [method, path] of ACTS) {
    assertProblem(await ask(path, reader!, method), 403, "insufficient_scope");
    assertProblem(await ask(path, writer!, method), 403, "insufficient_scope");
    assertProblem(await ask(path, {}, method), 401, "missing_token");
  }
  for (const [method, path] of ACTS) {
    assert((await ask(path, admin("scopes"), method)).status < 300, `${method} ${path}`);
  }
});

test("a token for some streams is refused where events of any stream may come", async () => {
  const some = as({ scope: "admin", streams: ["count-*"] });
  for (const [method, path] of [...READS.map((path) => ["GET", path] as const), ...ACTS]) {
    const { detail } = assertProblem(await ask(path, some, method), 403, "stream_not_allowed");
    assert.match(detail, /all streams/);
  }
});
