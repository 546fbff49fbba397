/** Following the documents of a projection: all documents, and then each change. */

import assert from "node:assert/strict";
import { fileURLToPath } from "node:url";
import { test } from "node:test";

import { connect, type DocumentChange, isSillokError } from "sillok/client";

import { assertProblem, freshStream, type HeaderValues, useApi } from "../support/api.ts";
import { settled } from "../support/consumers.ts";
import { Follower } from "../support/follower.ts";
import { SocketFollower } from "../support/socket-follower.ts";

const api = useApi({ entry: fileURLToPath(import.meta.resolve("../support/bank-worker.ts")) });

const PATH = "/v1/projections/balances/documents";
const url = (query = "") => new URL(PATH + query, api.server.url);
const documents = () => connect(api.server.url).documents<{ cents: number }>("balances");

/** A prefix that only one test uses. */
const freshPrefix = () => `account-${freshStream("live").replaceAll("-", "")}`;

async function deposit(stream: string, cents: number): Promise<void> {
  await api.appended(stream, [{ type: "Deposited", data: { cents } }]);
}

/** Applies messages as a page does. */
function applied(changes: readonly DocumentChange[]): Map<string, unknown> {
  const all = new Map<string, unknown>();
  for (const change of changes) {
    if (change.kind === "reset") all.clear();
    if (change.kind === "put") all.set(change.key, change.document);
    if (change.kind === "delete") all.delete(change.key);
  }
  return all;
}

const kinds = (changes: readonly DocumentChange[]) =>
  changes.map((change) => ("key" in change ? `${change.kind} ${change.key}` : change.kind));

async function listed(prefix: string): Promise<Map<string, unknown>> {
  const all = new Map<string, unknown>();
  for await (const { key, document } of documents().list({ prefix })) all.set(key, document);
  return all;
}

for (const [protocol, follow] of [
  ["server-sent events", (query: string) => Follower.connect(url(query))],
  ["a WebSocket", (query: string) => SocketFollower.connect(url(query))],
] as const) {
  test(`${protocol}: the documents, and then each change, below a prefix`, async () => {
    const prefix = freshPrefix();
    for (const n of [1, 2]) await deposit(`${prefix}${n}`, n);
    await settled(api, "balances", ({ lag }) => lag === 0);
    const follower = await follow(`?prefix=${prefix}`);
    await follower.until(({ events }) => events.at(-1)?.kind === "caught-up");
    assert.deepEqual(kinds(follower.events), [
      "reset",
      `put ${prefix}1`,
      `put ${prefix}2`,
      "caught-up",
    ]);
    await deposit(freshPrefix(), 7);
    await deposit(`${prefix}1`, 10);
    await follower.until(
      ({ events }) => events.filter(({ kind }) => kind === "caught-up").length === 2,
    );
    // A WebSocket also sends the progress past other documents.
    const later = follower.events.slice(4).filter(({ kind }) => kind !== undefined);
    assert.deepEqual(kinds(later), [`put ${prefix}1`, "caught-up"]);
    assert.deepEqual(applied(follower.events), await listed(prefix));
    const { checkpoint } = follower.events.at(-1);
    await follower.close();
    await deposit(`${prefix}3`, 3);
    const again = await follow(`?prefix=${prefix}&after=${encodeURIComponent(checkpoint)}`);
    await again.until(({ events }) => events.at(-1)?.kind === "caught-up" && events.length > 1);
    assert.deepEqual(
      kinds(again.events).filter((kind) => kind !== "caught-up"),
      [`put ${prefix}3`],
      "it continues with the change that it has missed",
    );
    await again.close();
  });
}

test("a message has its checkpoint as its id, and Last-Event-ID continues after it", async () => {
  const prefix = freshPrefix();
  for (const n of [1, 2, 3]) await deposit(`${prefix}${n}`, n);
  await settled(api, "balances", ({ lag }) => lag === 0);
  const follower = await Follower.connect(url(`?prefix=${prefix}`));
  await follower.until(({ events }) => events.at(-1)?.kind === "caught-up");
  const messages = follower.messages.filter(({ data }) => data !== undefined);
  await follower.close();
  for (const [place, { id = "", data }] of messages.entries()) {
    assert.equal(JSON.parse(data ?? "").checkpoint, id);
    const rest = await Follower.connect(url(`?prefix=${prefix}`), { "Last-Event-ID": id });
    await rest.until(({ events }) => events.at(-1)?.kind === "caught-up");
    const expected = kinds(follower.events.slice(place + 1));
    assert.deepEqual(kinds(rest.events), expected.length === 0 ? ["caught-up"] : expected);
    await rest.close();
  }
});

test("documents that are built again are a reset", async () => {
  const prefix = freshPrefix();
  await deposit(`${prefix}1`, 1);
  await settled(api, "balances", ({ lag }) => lag === 0);
  const follower = await Follower.connect(url(`?prefix=${prefix}`));
  await follower.until(({ events }) => events.at(-1)?.kind === "caught-up");
  await connect(api.server.url).consumer("balances").rebuild();
  await follower.until(
    ({ events }) => events.filter(({ kind }) => kind === "caught-up").length === 2,
  );
  assert.deepEqual(kinds(follower.events.slice(2)), [
    "caught-up",
    "reset",
    `put ${prefix}1`,
    "caught-up",
  ]);
  await follower.close();
});

test("an object that was evicted goes on where its followers are", async () => {
  const prefix = freshPrefix();
  await deposit(`${prefix}1`, 1);
  await settled(api, "balances", ({ lag }) => lag === 0);
  const changes: DocumentChange[] = [];
  for await (const change of documents().subscribe({ prefix })) {
    changes.push(change);
    if (change.kind === "caught-up") break;
  }
  await api.server.evict("balances", "Consumer");
  await deposit(`${prefix}2`, 2);
  await settled(api, "balances", ({ lag }) => lag === 0);
  const after = changes.at(-1)?.checkpoint;
  for await (const change of documents().subscribe({ prefix, after })) {
    changes.push(change);
    if (change.kind === "caught-up") break;
  }
  assert.deepEqual(
    kinds(changes.slice(2)),
    ["caught-up", `put ${prefix}2`, "caught-up"],
    "no reset",
  );
});

test("the client follows, and continues after its connection is lost", async () => {
  const prefix = freshPrefix();
  await deposit(`${prefix}1`, 1);
  const connections: AbortController[] = [];
  const losing = (address: string, request: RequestInit) => {
    const connection = new AbortController();
    connections.push(connection);
    const signals = [connection.signal, ...(request.signal ? [request.signal] : [])];
    return fetch(address, { ...request, signal: AbortSignal.any(signals) });
  };
  const client = connect(api.server.url, { fetch: losing });
  const changes: DocumentChange[] = [];
  for await (const change of client.documents("balances").subscribe({ prefix })) {
    changes.push(change);
    if (change.kind !== "caught-up") continue;
    const { size } = applied(changes);
    if (size === 5) break;
    connections.at(-1)?.abort();
    await deposit(`${prefix}${size + 1}`, size + 1);
  }
  assert.deepEqual(applied(changes), await listed(prefix));
  assert.equal(changes.filter(({ kind }) => kind === "reset").length, 1);
  assert.ok(connections.length >= 4, `${connections.length} connections`);
  const last = changes.at(-1)?.checkpoint;
  const stop = new AbortController();
  for await (const change of documents().subscribe({ prefix, after: last, signal: stop.signal })) {
    assert.equal(change.kind, "caught-up");
    stop.abort();
  }
});

test("a large snapshot is read in pages while it changes", async () => {
  const prefix = freshPrefix();
  const deposits = Array.from({ length: 1024 }, () => ({ type: "Deposited", data: { cents: 1 } }));
  await Promise.all(Array.from({ length: 4 }, (_, n) => api.appended(`${prefix}${n}`, deposits)));
  let stopped = false;
  const writing = (async () => {
    for (let n = 0; !stopped; n += 1) await deposit(`${prefix}${n % 60}`, 1);
  })();
  const changes: DocumentChange[] = [];
  for await (const change of documents().subscribe({ prefix })) {
    changes.push(change);
    if (change.kind === "caught-up" && changes.length > 400) break;
  }
  stopped = true;
  await writing;
  const after = changes.at(-1)?.checkpoint;
  await settled(api, "balances", ({ lag }) => lag === 0);
  for await (const change of documents().subscribe({ prefix, after })) {
    changes.push(change);
    if (change.kind === "caught-up") break;
  }
  assert.deepEqual(applied(changes), await listed(prefix));
});

test("a wrong request is refused", async () => {
  const live = (query: string, headers: HeaderValues = {}, path = PATH) =>
    api.request(path + query, { headers: { Accept: "text/event-stream", ...headers } });
  assertProblem(await live("?after=x"), 400, "invalid_checkpoint", "after");
  const resumed = await live("", { "Last-Event-ID": "x" });
  assertProblem(resumed, 400, "invalid_checkpoint", "Last-Event-ID");
  assertProblem(await live("?limit=3"), 400, "invalid_parameter", "limit");
  assertProblem(await live("?min=a@1"), 400, "invalid_parameter", "min");
  const condition = await live("", { "If-None-Match": '"1"' });
  assertProblem(condition, 400, "unsupported_header", "If-None-Match");
  const nobody = await live("", {}, "/v1/projections/nobody/documents");
  assertProblem(nobody, 404, "consumer_not_found");
  const reactor = await live("", {}, "/v1/projections/tallying/documents");
  assertProblem(reactor, 404, "consumer_not_found");
  const csv = await api.request(PATH, { headers: { Accept: "text/csv" } });
  assertProblem(csv, 406, "not_acceptable", "Accept");
  for (const [options, code] of [
    [{ after: "" }, "invalid_checkpoint"],
    [{ after: "x" }, "invalid_checkpoint"],
    [{ prefix: 7 }, "invalid_parameter"],
    [{ limit: 7 }, "invalid_parameter"],
  ] as const) {
    const error = await documents()
      .subscribe(options as object)
      .next()
      .catch((error) => error);
    assert.ok(isSillokError(error) && error.code === code, String(error));
  }
});
