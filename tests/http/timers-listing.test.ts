/** The lists of timers over HTTP: pages, methods, parameters, scopes and tenants. */

import assert from "node:assert/strict";
import { test } from "node:test";
import { fileURLToPath } from "node:url";

import { assertProblem, freshStream, priceOf, streamPath, useApi } from "../support/api.ts";
import { timersOf } from "../support/timers.ts";
import { sign } from "../support/token.ts";

const SECRET = "a secret of the tests, of more than 32 bytes";
const entry = fileURLToPath(import.meta.resolve("../support/bell-worker.ts"));
const api = useApi({ entry, vars: { SILLOK_SECRET: SECRET } });

const HOUR = 60 * 60 * 1000;
const as = (claims: object) => ({ Authorization: `Bearer ${sign(claims, SECRET)}` });
const scoped = (scope: string) => as({ scope });
const admin = { Authorization: `Bearer ${SECRET}` };

/** A stream with timers of these keys, due in an hour. */
async function streamWith(keys: readonly string[], headers = admin): Promise<string> {
  const stream = freshStream("bell");
  for (const key of keys) {
    const data = { at: Date.now() + HOUR, ring: { key } };
    await api.executed(stream, { type: "Set", data }, headers);
  }
  return stream;
}

const list = (stream: string, query = "", headers = admin, method = "GET") =>
  api.request(`${streamPath(stream)}/timers${query}`, { method, headers });
const at = (stream: string, key: string, rest = "") =>
  `${streamPath(stream)}/timers/${encodeURIComponent(key)}${rest}`;

test("timers are listed in pages, in the order of their keys", async () => {
  const keys = ["c", "a", "b/1", "é ?&=#%", "z"];
  const stream = await streamWith(keys);
  const pages: string[][] = [];
  for (let path = `${streamPath(stream)}/timers?limit=2`; path !== undefined;) {
    const { status, json } = await api.request(path, { headers: admin });
    assert.equal(status, 200);
    pages.push(json.timers.map(({ key }: any) => key));
    path = json.next;
  }
  assert.deepEqual(pages, [["a", "b/1"], ["c", "z"], ["é ?&=#%"]]);
  const whole = await list(stream, "?limit=5");
  assert.equal(whole.json.next, undefined);
  assert.deepEqual(
    (await list(stream, "?after=b")).json.timers.map(({ key }: any) => key),
    ["b/1", "c", "z", "é ?&=#%"],
  );
  assert.deepEqual((await list(stream, `?after=${encodeURIComponent("é ?&=#%")}`)).json, {
    timers: [],
  });
  for (const key of keys) {
    const reply = await api.request(at(stream, key), { method: "DELETE", headers: admin });
    assert.equal(reply.status, 204, reply.text);
  }
  assert.deepEqual(await timersOf(api, stream, admin), []);
});

test("a list of 1,000 timers comes in one page, and is not cut", async () => {
  const stream = freshStream("bell");
  const data = { count: 1000, at: Date.now() + HOUR };
  await api.executed(stream, { type: "SetMany", data }, admin);
  const { timers, next } = (await list(stream)).json;
  assert.deepEqual([timers.length, next], [1000, undefined]);
  assert.equal((await timersOf(api, stream, admin)).length, 1000);
  const { read } = priceOf(await list(stream, "?limit=1"));
  assert(read <= 5, `${read} rows`);
});

test("HEAD has the headers of GET without a body", async () => {
  const stream = await streamWith(["a"]);
  // The object looks once whether its tables exist.
  await list(stream);
  const [get, head] = [await list(stream), await list(stream, "", admin, "HEAD")];
  assert.deepEqual([head.status, head.text], [200, ""]);
  for (const name of ["content-type", "content-length", "cache-control", "sillok-rows-read"]) {
    assert.equal(head.headers.get(name), get.headers.get(name), name);
  }
});

test("a stream without timers, and one without an aggregate, have an empty list", async () => {
  for (const category of ["bell", "note"]) {
    const { status, json } = await list(freshStream(category));
    assert.deepEqual([status, json], [200, { timers: [] }]);
    const sent = await api.request(`${streamPath(freshStream(category))}/sent`, { headers: admin });
    assert.deepEqual([sent.status, sent.json], [200, { sent: [] }]);
  }
});

test("wrong parameters are refused with their field", async () => {
  const stream = await streamWith(["a"]);
  assert.deepEqual((await list(stream, "?limit=0")).json, { timers: [] });
  for (const [query, code, field] of [
    ["?limit=1001", "page_too_large", "limit"],
    ["?limit=x", "invalid_parameter", "limit"],
    ["?limit=-1", "invalid_parameter", "limit"],
    ["?limit=1&limit=2", "invalid_parameter", "limit"],
    ["?offset=1", "invalid_parameter", "offset"],
    ["?after=", "invalid_parameter", "after"],
    ["?after=a%00", "invalid_parameter", "after"],
    [`?after=${"x".repeat(201)}`, "invalid_parameter", "after"],
  ] as const) {
    assertProblem(await list(stream, query), 400, code, field);
  }
  for (const [key, method] of [
    ["%00", "DELETE"],
    ["a%0Ab", "DELETE"],
    ["%FF", "DELETE"],
    ["%zz", "DELETE"],
    ["x".repeat(201), "DELETE"],
    ["%00/retry", "POST"],
  ] as const) {
    const path = `${streamPath(stream)}/timers/${key}`;
    assertProblem(
      await api.request(path, { method, headers: admin }),
      400,
      "invalid_parameter",
      "key",
    );
  }
  for (const [rest, method] of [
    ["?now=1", "DELETE"],
    ["/retry?now=1", "POST"],
  ] as const) {
    const reply = await api.request(at(stream, "a", rest), { method, headers: admin });
    assertProblem(reply, 400, "invalid_parameter", "now");
  }
  assert.equal((await timersOf(api, stream, admin)).length, 1);
});

test("wrong methods are refused with the methods that there are", async () => {
  const stream = await streamWith(["a"]);
  for (const [path, methods, allowed] of [
    [`${streamPath(stream)}/timers`, ["POST", "PUT", "DELETE", "PATCH"], "GET, HEAD"],
    [`${streamPath(stream)}/sent`, ["POST", "PUT", "DELETE", "PATCH"], "GET, HEAD"],
    [at(stream, "a"), ["GET", "POST", "PUT"], "DELETE"],
    [at(stream, "a", "/retry"), ["GET", "DELETE", "PUT"], "POST"],
  ] as const) {
    for (const method of methods) {
      const reply = await api.request(path, { method, headers: admin });
      assertProblem(reply, 405, "method_not_allowed");
      assert.equal(reply.headers.get("allow"), allowed, `${method} ${path}`);
    }
  }
  const unknown = await api.request(at(stream, "a", "/run"), { method: "POST", headers: admin });
  assert.equal(unknown.status, 404);
  assert.equal((await timersOf(api, stream, admin)).length, 1);
});

test("a list takes the scope `read`, and a change the scope `admin`", async () => {
  const stream = await streamWith(["a"]);
  for (const path of [`${streamPath(stream)}/timers`, `${streamPath(stream)}/sent`]) {
    assertProblem(await api.request(path), 401, "missing_token");
    for (const scope of ["", "append", "execute", "append execute"]) {
      const refused = await api.request(path, { headers: scoped(scope) });
      assertProblem(refused, 403, "insufficient_scope");
      assert.match(refused.headers.get("www-authenticate") ?? "", /scope="read"/);
    }
    assert.equal((await api.request(path, { headers: scoped("read") })).status, 200);
    const elsewhere = as({ scope: "read", streams: "order-*" });
    assertProblem(await api.request(path, { headers: elsewhere }), 403, "stream_not_allowed");
  }
  for (const list of ["timers", "sent"]) {
    for (const [rest, method] of [
      ["", "DELETE"],
      ["/retry", "POST"],
    ] as const) {
      const path = `${streamPath(stream)}/${list}/a${rest}`;
      assertProblem(await api.request(path, { method }), 401, "missing_token");
      const refused = await api.request(path, { method, headers: scoped("read append execute") });
      assertProblem(refused, 403, "insufficient_scope");
      assert.match(refused.headers.get("www-authenticate") ?? "", /scope="admin"/);
    }
  }
  assert.equal((await timersOf(api, stream, admin)).length, 1);
});

test("tenants do not reach one another's timers", async () => {
  const tenant = (name: string) => as({ scope: "admin", tenant: name });
  const stream = await streamWith(["a"], tenant("acme"));
  for (const other of [tenant("other"), admin]) {
    assert.deepEqual((await list(stream, "", other)).json, { timers: [] });
    const reply = await api.request(at(stream, "a"), { method: "DELETE", headers: other });
    assertProblem(reply, 404, "timer_not_found");
    const retried = await api.request(at(stream, "a", "/retry"), {
      method: "POST",
      headers: other,
    });
    assertProblem(retried, 404, "timer_not_found");
  }
  assert.equal((await timersOf(api, stream, tenant("acme"))).length, 1);
});
