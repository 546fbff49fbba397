/** Paths, methods and headers, independent of their content. */

import assert from "node:assert/strict";
import { test } from "node:test";

import { assertProblem, eventsPath, freshStream, numbered, useApi } from "../support/api.ts";

const api = useApi();

test("health", async () => {
  const reply = await api.request("/v1/health");
  assert.equal(reply.status, 200);
  assert.deepEqual(Object.keys(reply.json), ["status", "version"]);
  assert.equal(reply.json.status, "ok");
  assert.match(reply.json.version, /^\d+\.\d+\.\d+/);
  assert.equal(reply.headers.get("cache-control"), "no-store, no-transform");
});

for (const path of [
  "/v1",
  "/v1/",
  "/v1/nothing",
  "/v1/streams/",
  "/v1/streams/a/",
  "/v1/streams/a/nothing",
  "/v1/streams/a/b/events",
  "/v1/streams/a/b/verify",
]) {
  test(`${path} is not found, as a problem`, async () => {
    for (const method of ["GET", "HEAD", "POST", "DELETE"]) {
      const reply = await api.request(path, { method });
      assert.equal(reply.status, 404);
      if (method !== "HEAD") assertProblem(reply, 404, "not_found");
    }
  });
}

test("an unknown path outside the API gets a problem document too", async () => {
  assertProblem(await api.request("/no/such/file"), 404, "not_found");
  assertProblem(await api.request("/v10/health"), 404, "not_found");
  assertProblem(await api.request("/v1x", { method: "POST" }), 404, "not_found");
});

test("the console is served from the same server", async () => {
  const reply = await api.request("/");
  assert.equal(reply.status, 200);
  assert.match(reply.headers.get("content-type") ?? "", /^text\/html/);
});

test("a method that a path does not take", async () => {
  for (const [path, allow, methods] of [
    ["/v1/health", "GET, HEAD", ["POST", "PUT", "DELETE", "OPTIONS", "PROPFIND"]],
    [eventsPath("a"), "GET, HEAD, POST", ["PUT", "PATCH", "DELETE", "OPTIONS", "PROPFIND"]],
    ["/v1/streams/a", "GET, HEAD, DELETE", ["POST", "PUT", "PATCH", "OPTIONS"]],
    ["/v1/streams/a/verify", "GET, HEAD", ["POST", "DELETE", "COPY"]],
    ["/v1/streams/a/commits", "GET, HEAD", ["POST", "DELETE", "COPY"]],
    ["/v1/streams/a/truncate", "POST", ["GET", "HEAD", "DELETE"]],
  ] as const) {
    for (const method of methods) {
      const reply = await api.request(path, { method });
      if (method === "HEAD") assert.equal(reply.status, 405);
      else assertProblem(reply, 405, "method_not_allowed");
      assert.equal(reply.headers.get("allow"), allow);
    }
  }
});

test("every answer of the API forbids caches and guessing of its type", async () => {
  for (const path of ["/v1/health", eventsPath("a"), "/v1/nothing"]) {
    const { headers } = await api.request(path);
    assert.equal(headers.get("cache-control"), "no-store, no-transform");
    assert.equal(headers.get("vary"), "Accept, Authorization");
    assert.equal(headers.get("x-content-type-options"), "nosniff");
  }
});

test("Accept decides whether JSON may be sent, before anything is stored", async () => {
  const stream = freshStream();
  for (const accept of [
    "*/*",
    "application/json",
    "application/*",
    "text/html, */*;q=0.1",
    "",
    "Application/JSON; q=1",
  ]) {
    assert.equal((await api.read(stream, "", { Accept: accept })).status, 200, accept);
  }
  for (const accept of [
    "text/html",
    "image/*, text/*",
    "application/json;q=0, application/x-ndjson;q=0, */*",
  ]) {
    assertProblem(await api.read(stream, "", { Accept: accept }), 406, "not_acceptable", "Accept");
  }
  for (const accept of ["text/html", "application/x-ndjson", "application/json;q=0, */*"]) {
    assertProblem(
      await api.append(stream, numbered(1), { Accept: accept }),
      406,
      "not_acceptable",
      "Accept",
    );
  }
  assert.equal(await api.version(stream), 0);
});

test("any content type but NDJSON's is read as JSON", async () => {
  const stream = freshStream();
  for (const contentType of [
    "application/json; charset=utf-8",
    "text/plain",
    "application/x-www-form-urlencoded",
  ]) {
    const reply = await api.append(stream, '[{"type":"A"},\n{"type":"B"}]', {
      "Content-Type": contentType,
    });
    assert.equal(reply.status, 201, contentType);
  }
});
