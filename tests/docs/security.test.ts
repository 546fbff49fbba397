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

test("the token is signed with the secret, and has the rights of its claims", async () => {
  const [program = "", ...others] = fenced("docs/security.md", "js");
  assert.equal(others.length, 0);
  const env = { ...process.env, SILLOK_SECRET };
  const args = ["--input-type=module", "--eval", program];
  const token = execFileSync(process.execPath, args, { env, encoding: "utf8" }).trim();
  const append = (stream: string) =>
    fetch(new URL(`/v1/streams/${stream}/events`, server.url), {
      method: "POST",
      headers: { Authorization: `Bearer ${token}` },
      body: '{"type":"Opened"}',
    });
  assert.equal((await append("account-42")).status, 201);
  assert.equal((await append("order-7")).status, 403);
});
