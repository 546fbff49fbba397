/** Tokens of `mintToken`, as the Worker takes them. */

import assert from "node:assert/strict";
import { test } from "node:test";

import { isSillokError, mintToken, type MintTokenOptions } from "sillok";
import * as client from "sillok/client";

import { useApi } from "../support/api.ts";

const secret = "c2VjcmV0cyBvZiB0aGlydHktdHdvIGJ5dGVzIGFuZCBtb3JlCg== ä";
const api = useApi({ vars: { SILLOK_SECRET: secret } });

type Options = Partial<MintTokenOptions>;

/** The body of the last answer. */
let last = "";

async function status(token: string, path: string, method = "GET", body?: string): Promise<number> {
  const headers = { Authorization: `Bearer ${token}` };
  const request = { method, headers, ...(body === undefined ? {} : { body }) };
  const reply = await fetch(new URL(path, api.server.url), request);
  last = await reply.text();
  return reply.status;
}

const append = (token: string, stream: string) =>
  status(token, `/v1/streams/${stream}/events`, "POST", '{"type":"Opened"}');
const read = (token: string, stream: string) => status(token, `/v1/streams/${stream}/events`);

function claimsOf(token: string): Record<string, unknown> {
  return JSON.parse(Buffer.from(token.split(".")[1] ?? "", "base64url").toString());
}

test("the Worker grants the rights of the token and no others", async () => {
  const admin = await mintToken({ secret, scopes: ["admin", "append", "read"] });
  assert.equal(await append(admin, "account-1"), 201);
  const reader = await client.mintToken({ secret, scopes: ["read"] });
  assert.deepEqual(
    [await read(reader, "account-1"), await append(reader, "account-1")],
    [200, 403],
  );
  const narrow = await mintToken({
    secret,
    scopes: ["read", "append"],
    streams: ["order-*", "bill-7"],
  });
  assert.deepEqual(
    [
      await append(narrow, "order-5"),
      await append(narrow, "bill-7"),
      await append(narrow, "account-1"),
    ],
    [201, 201, 403],
  );
  const shop = await mintToken({ secret, scopes: ["read"], tenant: "shöp" });
  assert.equal(await read(shop, "account-1"), 200);
  assert.deepEqual(JSON.parse(last).events, [], "the stream of another tenant is empty");
  const foreign = await mintToken({ secret: secret.replace("ä", "a"), scopes: ["read"] });
  assert.equal(await read(foreign, "account-1"), 401);
});

test("a token expires after its seconds, after an hour, or never", async () => {
  const now = Math.floor(Date.now() / 1000);
  const expiry = async (options: Options) =>
    claimsOf(await mintToken({ secret, scopes: ["read"], ...options })).exp as number;
  for (const [options, seconds] of [
    [{}, 3600],
    [{ expiresIn: 90.7 }, 90],
  ] as const) {
    const left = (await expiry(options)) - now - seconds;
    assert.ok(left >= 0 && left <= 5, `${left}`);
  }
  const endless = await mintToken({ secret, scopes: ["read"], expiresIn: Infinity });
  assert.deepEqual(claimsOf(endless), { scope: "read" });
  assert.equal(await read(endless, "account-1"), 200);
});

test("an invalid option is refused, naming it", async () => {
  const wrong: [object, string][] = [
    [{ secret: "s".repeat(31) }, "secret"],
    [{ secret: undefined }, "secret"],
    [{ scopes: [] }, "scopes"],
    [{ scopes: "read" }, "scopes"],
    [{ scopes: ["read", "write"] }, "scopes"],
    [{ streams: [] }, "streams"],
    [{ streams: [""] }, "streams"],
    [{ streams: "account-*" }, "streams"],
    [{ stream: ["account-*"] }, "stream"],
    [{ tenant: "" }, "tenant"],
    [{ tenant: "a\u001fb" }, "tenant"],
    [{ tenant: "ä".repeat(101) }, "tenant"],
    ...[0, -1, NaN, "60", null, 1e12].map((expiresIn): [object, string] => [
      { expiresIn },
      "expiresIn",
    ]),
  ];
  for (const [options, field] of wrong) {
    const given = { secret, scopes: ["read"], ...options } as MintTokenOptions;
    const error = await mintToken(given).then(
      () => assert.fail(field),
      (thrown) => thrown,
    );
    assert.ok(isSillokError(error), String(error));
    assert.deepEqual([error.code, error.field], ["invalid_parameter", field]);
  }
});
