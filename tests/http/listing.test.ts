/** The price of a partial listing, and the names that a listing discloses. */

import assert from "node:assert/strict";
import { test } from "node:test";
import { fileURLToPath } from "node:url";

import { type Api, eventsPath, numbered, priceOf, useApi } from "../support/api.ts";
import { settled } from "../support/consumers.ts";
import { sign } from "../support/token.ts";

const SECRET = "a secret of more than thirty-two bytes";
const entry = fileURLToPath(import.meta.resolve("../support/own-worker.ts"));
const admin = { Authorization: `Bearer ${SECRET}` };
const STREAMS = 60;
const api = useApi({ entry, vars: { SILLOK_SECRET: SECRET } }, async (api) => {
  const number = (n: number) => String(n).padStart(3, "0");
  for (const category of ["account", "count", "order"]) {
    for (let n = 0; n < (category === "count" ? STREAMS : 3); n += 1) {
      await api.appended(`${category}-${number(n)}`, numbered(1), admin);
    }
  }
  await settled(asAdmin, "sums");
});

/** The same server, with the administrator's requests. */
const asAdmin = {
  request: (path: string) => api.request(path, { headers: admin }),
} as Api;

test("a listing of the directory or of documents reads only the listed rows", async () => {
  for (const [path, most] of [
    ["/v1/streams?prefix=order-002", 3],
    ["/v1/streams?category=order", 5],
    ["/v1/streams?category=order&after=order-001", 3],
    ["/v1/projections/sums/documents?after=count-058", 5],
    ["/v1/projections/sums/documents?prefix=count-059", 5],
    ["/v1/projections/sums/documents?prefix=count-&after=count-057&limit=1", 5],
  ] as const) {
    const reply = await asAdmin.request(path);
    assert.equal(reply.status, 200, reply.text);
    assert.ok(priceOf(reply).read <= most, `${path}: ${priceOf(reply).read} rows`);
  }
});

test("a token for some streams sees no other names", async () => {
  for (const [globs, names] of [
    [["order-*"], ["order-000", "order-001", "order-002"]],
    [["*t-001"], ["account-001", "count-001"]],
    [
      ["account-000", "order-?02"],
      ["account-000", "order-002"],
    ],
    [["nobody-*"], []],
  ] as const) {
    const token = sign({ scope: "read", streams: globs }, SECRET);
    const headers = { Authorization: `Bearer ${token}` };
    const found: string[] = [];
    let path: string | null = "/v1/streams?limit=1";
    while (path !== null) {
      const reply = await api.request(path, { headers });
      assert.equal(reply.status, 200, reply.text);
      const { streams, next }: { streams: { stream: string }[]; next: string | null } = reply.json;
      found.push(...streams.map(({ stream }) => stream));
      for (const name of reply.text.match(/\w+-\d{3}/g) ?? []) {
        assert.ok((names as readonly string[]).includes(name), `${globs}: ${reply.text}`);
      }
      path = next;
    }
    assert.deepEqual(found, names);
    const other = await api.request("/v1/streams?prefix=count-05", { headers });
    assert.deepEqual(other.json, { streams: [], next: null });
  }
});

test("HEAD of the feed and of the directory is asked of the journal like GET", async () => {
  for (const path of ["/v1/events", "/v1/streams", eventsPath("order-000")]) {
    const head = await api.request(path, { method: "HEAD", headers: admin });
    assert.deepEqual([head.status, head.text], [200, ""]);
    priceOf(head);
  }
  for (const accept of ["application/json", "text/event-stream", "application/x-ndjson"]) {
    const headers = { ...admin, Accept: accept };
    const beyond = "/v1/events?after=99999";
    for (const method of ["HEAD", "GET"]) {
      assert.equal((await api.request(beyond, { method, headers })).status, 400, accept);
    }
    const known = await api.request("/v1/events", { method: "HEAD", headers });
    assert.equal(known.headers.get("content-type"), accept);
  }
});
