/**
 * If authentication is off, only requests for this machine are accepted. A page of another site cannot use another name for it.
 */

import assert from "node:assert/strict";
import { once } from "node:events";
import { type IncomingMessage, request as send } from "node:http";
import { text } from "node:stream/consumers";
import { test } from "node:test";

import { type Api, eventsPath, freshStream, useApi } from "../support/api.ts";

const off = useApi();
const named = useApi({
  vars: { SILLOK_AUTH: "off", SILLOK_HOSTS: "bank.test, Dev.Example:8787" },
});
const SECRET = "a secret of the tests, of more than 32 bytes";
const guarded = useApi({ vars: { SILLOK_SECRET: SECRET } });

/** The status and the problem of a request for this host. `fetch` cannot set the header `Host`. */
async function asked(api: Api, host: string, path: string, init: object = {}) {
  const { hostname, port } = api.server.url;
  const { headers, ...rest } = { headers: {}, ...init } as { headers: object };
  const request = send({ hostname, port, path, ...rest, headers: { Host: host, ...headers } });
  request.end("method" in init ? '{"type":"Owned"}' : undefined);
  const [response] = (await once(request, "response")) as [IncomingMessage];
  const body = await text(response);
  return { status: response.statusCode, problem: response.statusCode === 403 && JSON.parse(body) };
}

const OTHERS = [
  "evil.example",
  "evil.example:8787",
  "localhost.evil.example",
  "127.0.0.1.evil.example",
  "evil.example:80@localhost",
  "192.168.0.1",
  "0.0.0.0",
  "sillok.example.workers.dev",
];

test("a request for another host is refused, whatever it asks for", async () => {
  const path = eventsPath(freshStream());
  for (const host of OTHERS) {
    const origin = { Origin: `http://${host}` };
    const upgrade = { Connection: "Upgrade", Upgrade: "websocket", "Sec-WebSocket-Version": "13" };
    for (const [of, init] of [
      [path, {}],
      [path, { headers: origin }],
      [path, { method: "POST", headers: origin }],
      [path, { headers: { ...upgrade, "Sec-WebSocket-Key": "dGhlIHNhbXBsZSBub25jZQ==" } }],
      ["/v1/consumers", {}],
      ["/v1/health", {}],
    ] as const) {
      const { status, problem } = await asked(off, host, of, init);
      assert.equal(status, 403, `${host} ${of}`);
      assert.deepEqual([problem.code, problem.field], ["host_not_allowed", "Host"], host);
    }
  }
  assert.equal((await off.request(path)).json.version, 0);
});

test("a request for this machine is accepted under each of its names", async () => {
  const path = eventsPath(freshStream());
  for (const host of [
    "localhost",
    "LocalHost:1",
    "a.b.localhost:8787",
    "127.0.0.1",
    "127.9.9.9:80",
    "[::1]",
    "[::1]:80",
  ]) {
    assert.equal((await asked(off, host, path)).status, 200, host);
  }
});

test("a host in SILLOK_HOSTS is accepted, and no other", async () => {
  const path = eventsPath(freshStream());
  for (const host of ["bank.test", "BANK.test:99", "dev.example:8787", "localhost"]) {
    assert.equal((await asked(named, host, path)).status, 200, host);
  }
  for (const host of ["dev.example", "dev.example:1", "a.bank.test", ...OTHERS]) {
    assert.equal((await asked(named, host, path)).status, 403, host);
  }
});

test("where there is a secret, the token counts and not the host", async () => {
  const headers = { Authorization: `Bearer ${SECRET}` };
  const path = eventsPath(freshStream());
  assert.equal((await asked(guarded, "evil.example", path, { headers })).status, 200);
  assert.equal((await asked(guarded, "evil.example", path)).status, 401);
});
