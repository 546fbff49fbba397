/**
 * The addresses to which a webhook may send: hosts on the internet, and this machine only if authentication is off.
 */

import assert from "node:assert/strict";
import { test } from "node:test";

import { assertProblem, numbered, type Reply, useApiForEach } from "../support/api.ts";
import { settled } from "../support/consumers.ts";
import { useReceiver } from "../support/receiver.ts";
import { sign } from "../support/token.ts";

const api = useApiForEach();
const receiver = useReceiver();
const SECRET = "a secret of the tests, of more than 32 bytes";
const HOSTS = "sillok.example.com, Events.Example.com:8443";

const as = (scope: string) => ({ Authorization: `Bearer ${sign({ scope }, SECRET)}` });

/** Starts the server again with authentication. */
function protect(): Promise<void> {
  return api.server.restart({ vars: { SILLOK_SECRET: SECRET, SILLOK_HOSTS: HOSTS } });
}

function put(url: string, options: object = {}): Promise<Reply> {
  const body = JSON.stringify({ kind: "webhook", url, category: "count", ...options });
  return api.request("/v1/consumers/hook", { method: "PUT", body, headers: as("admin") });
}

/** Addresses to which no webhook may send, in any deployment. */
const NOWHERE = [
  "https://10.0.0.1/",
  "https://169.254.169.254/latest/meta-data",
  "https://2130706434/",
  "https://0x7f.2/",
  "https://[fe80::1]/",
  "https://[::ffff:10.0.0.1]/",
  "https://printer/",
  "https://a.local/",
  "https://metadata.google.internal./",
  "https://router.home.arpa/",
  "http://app.localhost/",
  "http://example.com/",
  "https://user:password@example.com/",
];

test("where authentication is off, this machine is a receiver, but the deployment is not its own", async () => {
  const { port } = api.server.url;
  const own = ["127.0.0.1", "localhost", "localhost.", "[::1]", "0x7f.1"];
  for (const url of [
    ...NOWHERE,
    ...own.map((host) => `http://${host}:${port}/v1/streams/a/events`),
  ]) {
    assertProblem(await put(url), 400, "invalid_consumer", "url");
  }
  assertProblem(await api.request("/v1/consumers/hook"), 404, "consumer_not_found");
  assert.equal((await put(receiver.url)).status, 200);
});

test("with a secret, no URL leads into a private network, to this machine or to the deployment", async () => {
  await protect();
  const { host } = api.server.url;
  for (const url of [
    ...NOWHERE,
    receiver.url,
    "http://localhost:3000/",
    "https://localhost/",
    "https://127.1/",
    "https://[::1]/",
    `https://${host}/v1/streams/a/events`,
    "https://sillok.example.com/v1/streams/a/events",
    "https://SILLOK.example.com./",
    "https://events.example.com/",
  ]) {
    const { detail } = assertProblem(await put(url), 400, "invalid_consumer", "url");
    assert.match(detail, /^`url`: must /, url);
  }
  const reply = await put("https://example.com/");
  assert.equal(reply.status, 200, reply.text);
});

test("an address that was allowed at its definition is checked again before each event", async () => {
  assert.equal((await put(receiver.url)).status, 200);
  await protect();
  const body = JSON.stringify(numbered(1));
  const path = "/v1/streams/count-1/events";
  const reply = await api.request(path, { method: "POST", body, headers: as("append") });
  assert.equal(reply.status, 201, reply.text);
  const reader = { request: (at: string) => api.request(at, { headers: as("read") }) };
  const isPaused = (found: any) => found.status === "paused";
  const { status, lastError, deadLetters } = await settled(reader, "hook", isPaused);
  assert.deepEqual([status, deadLetters], ["paused", 0]);
  assert.match(lastError.message, /^the webhook's URL must name its host/);
  assert.equal(receiver.received.length, 0);
});

test("a caller that may only read sees neither the query nor the fragment of a URL", async () => {
  await protect();
  const url = "https://example.com:8443/hook?token=secret#part";
  assert.equal((await put(url)).json.url, url);
  for (const [scope, shown] of [
    ["read", "https://example.com:8443/hook"],
    ["admin", url],
  ] as const) {
    const headers = as(scope);
    const one = await api.request("/v1/consumers/hook", { headers });
    const all = await api.request("/v1/consumers", { headers });
    assert.deepEqual([one.json.url, all.json.consumers[0].url], [shown, shown]);
    if (scope === "read") assert(!`${one.text}${all.text}`.includes("secret"));
  }
});
