/** Pages of other origins are allowed only if callers have tokens. */

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

test("with authentication off every request of another origin is refused", async () => {
  const path = eventsPath(freshStream());
  const body = JSON.stringify({ type: "Owned" });
  const simple = { "Content-Type": "text/plain" };
  for (const Origin of ["https://elsewhere.example", "null", "http://localhost.example"]) {
    for (const request of [
      { method: "OPTIONS", headers: { ...preflight, Origin } },
      { headers: { Origin } },
      { method: "POST", headers: { ...simple, Origin }, body },
    ]) {
      const reply = await withoutAuth.request(path, request);
      assertProblem(reply, 403, "origin_not_allowed", "Origin");
      assert.equal(reply.headers.get("access-control-allow-origin"), null);
    }
  }
  const feed = new URL("/v1/events", withoutAuth.server.url);
  feed.protocol = "ws:";
  const socket = new WebSocket(feed, { headers: origin } as unknown as string[]);
  const opened = await new Promise((resolve) => {
    socket.addEventListener("open", () => resolve(true));
    socket.addEventListener("error", () => resolve(false));
  });
  assert.equal(opened, false);
  assert.equal((await withoutAuth.request(path)).json.version, 0);
  for (const Origin of [withoutAuth.server.url.origin, "http://localhost:5173"]) {
    const headers = { ...simple, Origin };
    const own = await withoutAuth.request(path, { method: "POST", headers, body });
    assert.equal(own.status, 201, own.text);
  }
});
