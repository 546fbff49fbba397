/** Authentication of callers, and their rights. */

import assert from "node:assert/strict";
import { test } from "node:test";

import {
  assertProblem,
  eventsPath,
  freshStream,
  numbered,
  type Reply,
  streamPath,
  useApi,
} from "../support/api.ts";
import { secondsFromNow, sign } from "../support/token.ts";

const SECRET = "a secret of the tests, of more than 32 bytes";
const api = useApi({ vars: { SILLOK_SECRET: SECRET } });

type Claims = Record<string, unknown>;
const bearer = (token: string) => ({ Authorization: `Bearer ${token}` });
const as = (claims: Claims) => bearer(sign(claims, SECRET));
const administrator = bearer(SECRET);

function assertUnauthorized(reply: Reply, code: string, challenge: string): void {
  assertProblem(reply, 401, code);
  assert.equal(reply.headers.get("www-authenticate"), challenge);
}

const REALM = 'Bearer realm="sillok"';
const INVALID = `${REALM}, error="invalid_token"`;

test("a request without a token learns nothing, not even which paths exist", async () => {
  const stream = freshStream();
  for (const authorization of [undefined, "", "Basic dTpw", "Bearer", "Bearer ", SECRET]) {
    const headers = authorization === undefined ? {} : { Authorization: authorization };
    for (const [path, method] of [
      [eventsPath(stream), "GET"],
      [eventsPath(stream), "POST"],
      [eventsPath(stream), "DELETE"],
      [`${eventsPath(stream)}?limit=x`, "GET"],
      ["/v1/streams/%FF/events", "GET"],
      ["/v1/nothing", "GET"],
      ["/v1", "GET"],
    ] as const) {
      assertUnauthorized(await api.request(path, { method, headers }), "missing_token", REALM);
    }
  }
});

test("health needs no token", async () => {
  const reply = await api.request("/v1/health");
  assert.equal(reply.status, 200);
  assert.equal(reply.json.status, "ok");
});

test("the secret itself is the administrator", async () => {
  const stream = freshStream();
  assert.equal(await api.appended(stream, numbered(2), administrator), 2);
  assert.equal((await api.read(stream, "", administrator)).json.version, 2);
  assert.equal((await api.read(stream, "", { Authorization: `bearer   ${SECRET}` })).status, 200);
});

const now = secondsFromNow(0);
const valid = { scope: "read append" };

/** The same token with another last character. Two bits of this character are not a part of the signature. */
function otherLast(token: string): string {
  const digits = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_";
  return token.slice(0, -1) + digits.charAt(digits.indexOf(token.slice(-1)) + 1);
}

const REFUSED_TOKENS: Record<string, string> = {
  "a part of the secret": SECRET.slice(0, -1),
  "the secret and more": `${SECRET}x`,
  "no token at all": "abc",
  "three parts of nothing": "..",
  "another secret": sign(valid, "another secret"),
  "an empty secret": sign(valid, ""),
  "no signature": sign(valid, SECRET).replace(/[^.]+$/, ""),
  "a changed signature": `${sign(valid, SECRET).slice(0, -4)}AAAA`,
  "a cut signature": sign(valid, SECRET).slice(0, -4),
  "a padded signature": `${sign(valid, SECRET)}=`,
  "padded claims": sign(valid, SECRET).replace(/\.(?=[^.]+$)/, "=."),
  "a signature whose last character is another of the same bits": otherLast(sign(valid, SECRET)),
  "changed claims": sign(valid, SECRET).replace(
    /\.[^.]+\./,
    `.${Buffer.from('{"scope":"admin"}').toString("base64url")}.`,
  ),
  "alg none": sign(valid, SECRET, { alg: "none" }).replace(/[^.]+$/, ""),
  "alg none, signed": sign(valid, SECRET, { alg: "none" }),
  "alg HS512": sign(valid, SECRET, { alg: "HS512" }),
  "alg hs256": sign(valid, SECRET, { alg: "hs256" }),
  "alg RS256": sign(valid, SECRET, { alg: "RS256" }),
  "no alg": sign(valid, SECRET, { alg: undefined }),
  "a critical header": sign(valid, SECRET, { crit: ["b64"], b64: false }),
  "an expired one": sign({ ...valid, exp: now - 120 }, SECRET),
  "an exp long ago": sign({ ...valid, exp: 0 }, SECRET),
  "an exp that is text": sign({ ...valid, exp: "2199" }, SECRET),
  "an exp beyond time": sign(`{"scope":"read","exp":1e300}`, SECRET),
  "one not valid yet": sign({ ...valid, nbf: now + 120 }, SECRET),
  "an nbf that is text": sign({ ...valid, nbf: "soon" }, SECRET),
  "claims that are no object": sign("[]", SECRET),
  "claims that are no JSON": sign("{", SECRET),
  "a scope that is a number": sign({ scope: 1 }, SECRET),
  "a scope of numbers": sign({ scope: [1] }, SECRET),
  "a scope of null": sign({ scope: null }, SECRET),
  "streams of null": sign({ ...valid, streams: null }, SECRET),
  "streams that are an object": sign({ ...valid, streams: {} }, SECRET),
  "streams of numbers": sign({ ...valid, streams: ["a", 1] }, SECRET),
  "a tenant of null": sign({ ...valid, tenant: null }, SECRET),
  "a tenant that is a number": sign({ ...valid, tenant: 1 }, SECRET),
  "an empty tenant": sign({ ...valid, tenant: "" }, SECRET),
  "a tenant of 201 bytes": sign({ ...valid, tenant: "x".repeat(201) }, SECRET),
  "a tenant with a control character": sign({ ...valid, tenant: "a\u001fb" }, SECRET),
  "the same claim twice": sign('{"scope":"read","tenant":"a","tenant":"b"}', SECRET),
};

for (const [what, token] of Object.entries(REFUSED_TOKENS)) {
  test(`a token is refused: ${what}`, async () => {
    const stream = freshStream();
    assertUnauthorized(
      await api.append(stream, numbered(1), bearer(token)),
      "invalid_token",
      INVALID,
    );
    assertUnauthorized(await api.read(stream, "", bearer(token)), "invalid_token", INVALID);
    assert.equal((await api.read(stream, "", administrator)).json.version, 0);
  });
}

const TAKEN_TOKENS: Record<string, Claims> = {
  "without exp": {},
  "not expired": { exp: now + 60 },
  "expired within the leeway of a minute": { exp: now - 20 },
  "valid since long": { nbf: 0, iat: 0 },
  "valid soon, within the leeway": { nbf: now + 20 },
  "with times in fractions": { exp: now + 60.5, nbf: now - 0.5 },
  "with claims of others": { iss: "me", aud: ["you"], sub: "x", jti: "1", roles: { a: 1 } },
  "with a tenant of 200 bytes": { tenant: "é".repeat(100) },
};

for (const [what, claims] of Object.entries(TAKEN_TOKENS)) {
  test(`a token is taken: ${what}`, async () => {
    assert.equal(await api.appended(freshStream(), numbered(1), as({ ...valid, ...claims })), 1);
  });
}

async function allowed(claims: Claims): Promise<string> {
  const stream = freshStream();
  const names = [];
  for (const [scope, reply] of [
    ["read", await api.read(stream, "", as(claims))],
    ["append", await api.append(stream, numbered(1), as(claims))],
    ["admin", await api.request(streamPath(stream), { method: "DELETE", headers: as(claims) })],
  ] as const) {
    if (reply.status < 300) names.push(scope);
    else {
      assertProblem(reply, 403, "insufficient_scope");
      const challenge = `${REALM}, error="insufficient_scope", scope="${scope}"`;
      assert.equal(reply.headers.get("www-authenticate"), challenge);
    }
  }
  return names.join(" ");
}

test("scopes", async () => {
  assert.equal(await allowed({ scope: "read" }), "read");
  assert.equal(await allowed({ scope: "append" }), "append");
  assert.equal(await allowed({ scope: "admin" }), "read append admin");
  assert.equal(await allowed({ scope: "openid read" }), "read");
  assert.equal(await allowed({ scope: ["append", "read"] }), "read append");
  assert.equal(await allowed({ scope: ["append profile"] }), "append");
  for (const claims of [{}, { scope: "" }, { scope: [] }, { scope: "write Read administrator" }]) {
    assert.equal(await allowed(claims), "", JSON.stringify(claims));
  }
  const head = await api.request(eventsPath(freshStream()), {
    method: "HEAD",
    headers: as({ scope: "append" }),
  });
  assert.equal(head.status, 403);
});

test("the scope of each request of a stream", async () => {
  const [stream, all] = [freshStream(), ["read", "append", "admin"]];
  await api.appended(stream, numbered(1), administrator);
  const cut = { method: "POST", body: '{"before":1}' };
  for (const [path, init, needed] of [
    ["", { method: "GET" }, "read"],
    ["", { method: "HEAD" }, "read"],
    ["/verify", { method: "GET" }, "read"],
    ["/commits", { method: "GET" }, "read"],
    ["/truncate", cut, "admin"],
    ["", { method: "DELETE" }, "admin"],
  ] as const) {
    const request = (scope: string[], claims = {}) =>
      api.request(`${streamPath(stream)}${path}`, { ...init, headers: as({ scope, ...claims }) });
    const others = all.filter((scope) => scope !== needed && scope !== "admin");
    assert.equal((await request(others)).status, 403, path);
    assert.equal((await request([needed], { streams: "other-*" })).status, 403, path);
    const allowed = await request([needed]);
    assert(allowed.status < 300, `${init.method} ${path}: ${allowed.text}`);
    const unknown = await api.request(`${streamPath(stream)}${path}`, init);
    assert.equal(unknown.status, 401, path);
  }
});

test("a tenant forgets only its own stream", async () => {
  const [stream, theirs] = [freshStream(), as({ scope: "admin", tenant: "theirs" })];
  await api.appended(stream, numbered(2), administrator);
  const gone = await api.request(streamPath(stream), { method: "DELETE", headers: theirs });
  assert.equal(gone.status, 204);
  assert.equal(await api.appended(stream, numbered(1), administrator), 3);
});

const GLOBS: [streams: string | string[], stream: string, matches: boolean][] = [
  ["account-1", "account-1", true],
  ["account-1", "account-10", false],
  ["account-*", "account-1", true],
  ["account-*", "account-", true],
  ["account-*", "Account-1", false],
  ["account-*", "my-account-1", false],
  ["*", "anything/at all", true],
  ["a?c", "abc", true],
  ["a?c", "aéc", true],
  ["a?c", "ac", false],
  ["a.c", "abc", false],
  ["[ab]", "a", false],
  [["x-*", "y-*"], "y-1", true],
  [["x-*", "y-*"], "z-1", false],
  [[], "a", false],
  ["", "a", false],
];

test("stream globs", async () => {
  for (const [streams, stream, matches] of GLOBS) {
    const headers = as({ scope: "admin", streams, tenant: "globs" });
    for (const reply of [
      await api.read(stream, "", headers),
      await api.append(stream, numbered(1), headers),
    ]) {
      if (matches) assert(reply.status < 300, `${streams} ${stream}: ${reply.text}`);
      else {
        assertProblem(reply, 403, "stream_not_allowed");
        assert.equal(reply.headers.get("www-authenticate"), `${REALM}, error="insufficient_scope"`);
      }
    }
  }
});

test("tenants do not see each other's streams", async () => {
  const stream = freshStream();
  const tenants = [
    administrator,
    ...["a", "b", "a\u00a0", "A"].map((tenant) => as({ scope: "admin", tenant })),
  ];
  for (const [place, headers] of tenants.entries()) {
    assert.equal((await api.read(stream, "", headers)).json.version, 0);
    assert.equal(await api.appended(stream, numbered(place + 1), headers), place + 1);
  }
  for (const [place, headers] of tenants.entries()) {
    const page = (await api.read(stream, "", headers)).json;
    assert.equal(page.version, place + 1);
    assert.equal(page.stream, stream);
  }
  // A token without the claim belongs to the default tenant, like the secret.
  assert.equal((await api.read(stream, "", as(valid))).json.version, 1);
});

test("no pair of names leads to another pair's stream", async () => {
  const name = freshStream();
  assert.equal(
    await api.appended(`b-${name}`, numbered(1), as({ scope: "admin", tenant: "a" })),
    1,
  );
  for (const [tenant, stream] of [
    ["ab", `-${name}`],
    ["a-b", `-${name}`],
    [undefined, `ab-${name}`],
    [undefined, `a/b-${name}`],
  ]) {
    assert.equal((await api.read(stream ?? "", "", as({ scope: "read", tenant }))).json.version, 0);
  }
});

test("errors are reported in this order: token, path, method, scope, stream id, stream, parameters", async () => {
  const headers = as({ scope: "read", streams: "a-*" });
  assertProblem(await api.request("/v1/nothing", { headers }), 404, "not_found");
  assertProblem(
    await api.request("/v1/streams/x/events", { method: "PUT", headers }),
    405,
    "method_not_allowed",
  );
  assertProblem(
    await api.request("/v1/streams/%FF/events", { method: "POST", headers }),
    403,
    "insufficient_scope",
  );
  assertProblem(
    await api.request("/v1/streams/%FF/events", { headers }),
    400,
    "invalid_stream_id",
    "stream",
  );
  assertProblem(await api.read("b-1", "?limit=x", headers), 403, "stream_not_allowed");
  assertProblem(await api.read("a-1", "?limit=x", headers), 400, "invalid_parameter", "limit");
});
