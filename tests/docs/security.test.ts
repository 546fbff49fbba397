// Runs the program of docs/security.md that makes a token.
import assert from "node:assert/strict";
import { execFileSync } from "node:child_process";
import { after, before, test } from "node:test";
import { type Server, startServer } from "../support/server.ts";
import { fenced } from "./fenced.ts";

// This text looks like base64. It is used unchanged as the key.
const SILLOK_SECRET = "c2VjcmV0cyBvZiB0aGlydHktdHdvIGJ5dGVzIGFuZCBtb3JlCg==";
let server: Server;

before(async () => {
  server = await startServer({ vars: { SILLOK_SECRET } });
});
after(() => server.stop());

/** The token that a program of the document prints. */
function tokenOf(program: string): string {
  const env = { ...process.env, SILLOK_SECRET };
  const args = ["--input-type=module", "--eval", program];
  return execFileSync(process.execPath, args, { env, encoding: "utf8" }).trim();
}

const [program = "", ofTenant = "", ...others] = fenced("docs/security.md", "js");
assert.equal(others.length, 0);

function request(stream: string, token: string, init: RequestInit = {}): Promise<Response> {
  const url = new URL(`/v1/streams/${stream}/events`, server.url);
  return fetch(url, { ...init, headers: { Authorization: `Bearer ${token}` } });
}

test("the token is signed with the secret, and has the rights of its claims", async () => {
  const token = tokenOf(program);
  const body = '{"type":"Opened"}';
  assert.equal((await request("account-42", token, { method: "POST", body })).status, 201);
  assert.equal((await request("order-7", token, { method: "POST", body })).status, 403);
});

test("a token of a tenant reads nothing of another tenant", async () => {
  const body = '{"type":"Opened"}';
  assert.equal((await request("account-1", SILLOK_SECRET, { method: "POST", body })).status, 201);
  const [ada, alan] = [ofTenant, ofTenant.replace("ada-ltd", "alan-ltd")].map(tokenOf);
  assert(ada !== undefined && alan !== undefined);
  for (const token of [ada, alan]) {
    const { events } = (await (await request("account-1", token)).json()) as { events: unknown[] };
    assert.deepEqual(events, []);
    const append = await request("account-1", token, { method: "POST", body });
    assert.equal(append.status, 403, "it has the scopes of the user");
  }
});
