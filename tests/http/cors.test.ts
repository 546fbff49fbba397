/** Pages of other origins: let in where callers have tokens, and nowhere else. */

import assert from "node:assert/strict";
import { test } from "node:test";

import { assertProblem, eventsPath, freshStream, useApi } from "../support/api.ts";

const SECRET = "a secret of more than thirty-two bytes";
const withSecret = useApi({ vars: { SILLOK_SECRET: SECRET } });
const withoutAuth = useApi();

const origin = { Origin: "https://elsewhere.example" };
const preflight = {
  ...origin,
  "Access-Control-Request-Method": "POST",
  "Access-Control-Request-Headers": "authorization,idempotency-key",
};

test("a preflight is answered without a token, for every header that requests take", async () => {
  const path = eventsPath(freshStream());
  const reply = await withSecret.request(path, { method: "OPTIONS", headers: preflight });
  assert.equal(reply.status, 204);
  assert.equal(reply.headers.get("access-control-allow-origin"), "*");
  assert.deepEqual(reply.headers.get("access-control-allow-methods")?.split(", "), [
    "GET",
    "HEAD",
    "POST",
    "PUT",
    "DELETE",
  ]);
  const allowed = reply.headers.get("access-control-allow-headers")?.toLowerCase().split(", ");
  for (const name of ["authorization", "content-type", "if-match", "if-none-match"]) {
    assert.ok(allowed?.includes(name), name);
  }
  for (const name of ["idempotency-key", "last-event-id", "accept"]) {
    assert.ok(allowed?.includes(name), name);
  }
});

test("answers and refusals can be read by a page, with their version and their price", async () => {
  const stream = freshStream();
  const token = { Authorization: `Bearer ${SECRET}` };
  const appended = await withSecret.append(stream, { type: "Opened" }, { ...origin, ...token });
  assert.equal(appended.status, 201);
  const refused = await withSecret.append(stream, { type: "Opened" }, origin);
  assertProblem(refused, 401, "missing_token");
  for (const reply of [appended, refused]) {
    assert.equal(reply.headers.get("access-control-allow-origin"), "*");
    const exposed = reply.headers.get("access-control-expose-headers")?.split(", ");
    assert.ok(exposed?.includes("ETag") && exposed.includes("Sillok-Rows-Written"));
    assert.equal(reply.headers.get("access-control-allow-credentials"), null);
  }
});

test("a preflight opens nothing: the request itself needs its token", async () => {
  const path = eventsPath(freshStream());
  assertProblem(await withSecret.request(path, { headers: origin }), 401, "missing_token");
  const bare = await withSecret.request(path, { method: "OPTIONS", headers: origin });
  assertProblem(bare, 401, "missing_token");
});

test("with authentication off no other origin is let in", async () => {
  const path = eventsPath(freshStream());
  const asked = await withoutAuth.request(path, { method: "OPTIONS", headers: preflight });
  assertProblem(asked, 405, "method_not_allowed");
  const read = await withoutAuth.request(path, { headers: origin });
  for (const reply of [asked, read]) {
    assert.equal(reply.headers.get("access-control-allow-origin"), null);
  }
});
