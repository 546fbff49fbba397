/**
 * A caller that may see a few streams among many gets an answer after some pages. The next page's URL discloses no other name.
 */

import assert from "node:assert/strict";
import { test } from "node:test";
import { fileURLToPath } from "node:url";

import { assertProblem, type Reply, useApi } from "../support/api.ts";
import { sign } from "../support/token.ts";

const SECRET = "a secret of more than thirty-two bytes";
const STREAMS = 10_000;
const entry = fileURLToPath(import.meta.resolve("../support/crowded-worker.ts"));
const api = useApi({ entry, vars: { SILLOK_SECRET: SECRET } }, async (api) => {
  assert.equal((await api.request(`/fill?streams=${STREAMS}`)).status, 200);
});
const bearer = (token: string) => ({ headers: { Authorization: `Bearer ${token}` } });
const auditor = sign({ scope: "read", streams: "*-audit" }, SECRET);

/** Sends a request with a token, and checks that the server read few pages for it. */
async function asked(path: string, token: string): Promise<Reply> {
  const reply = await api.request(path, bearer(token));
  const pages = (await api.request("/pages")).json;
  assert.ok(pages <= 4, `${pages} pages of the directory were read for one answer`);
  return reply;
}

for (const limit of [1000, 3]) {
  test(`a few streams among many are listed in pages of ${limit}, each soon`, async () => {
    const found: string[] = [];
    let path: string | null = `/v1/streams?limit=${limit}`;
    while (path !== null) {
      const reply: Reply = await asked(path, auditor);
      assert.equal(reply.status, 200, reply.text);
      const names: string[] = reply.json.streams.map(({ stream }: any) => stream);
      assert.ok(names.length <= limit);
      found.push(...names);
      for (const name of reply.text.match(/s-\d{5}[^"&]*/g) ?? []) assert.match(name, /-audit$/);
      // The number of read rows would disclose how many streams have such names.
      assert.equal(reply.headers.get("sillok-rows-read"), null);
      path = reply.json.next;
    }
    const all = Array.from({ length: STREAMS / 1000 }, (_, n) => `s-0${n}999-audit`);
    assert.deepEqual(found, all);
    // The token allows no stream with this prefix.
    let next: string | null = "/v1/streams?prefix=s-00";
    let answers = 0;
    while (next !== null) {
      const reply: Reply = await asked(next, auditor);
      assert.ok(reply.json.streams.length <= 1);
      next = reply.json.next;
      answers += 1;
    }
    assert.ok(answers <= 2);
  });
}

test("a page of no streams has no next page", async () => {
  const { json } = await asked("/v1/streams?limit=0", auditor);
  assert.deepEqual(json, { streams: [], next: null });
});

test("the place of the next page is sealed for the caller of the listing", async () => {
  const first = await asked("/v1/streams", auditor);
  const next = new URL(first.json.next, "http://sillok").searchParams.get("next") ?? "";
  assert.match(next, /^[\w-]{304}$/, "as long as every other");
  assert.doesNotMatch(Buffer.from(next, "base64url").toString("latin1"), /s-\d/);
  const again = await asked("/v1/streams", auditor);
  assert.notEqual(again.json.next, first.json.next);
  const same = sign({ scope: "read", streams: ["*-audit"], exp: 4_000_000_000 }, SECRET);
  assert.equal((await asked(first.json.next, same)).status, 200);
  const refused = (path: string, token: string) =>
    asked(path, token).then((reply) => assertProblem(reply, 400, "invalid_parameter", "next"));
  for (const token of [
    SECRET,
    sign({ scope: "read" }, SECRET),
    sign({ scope: "read", streams: "s-*" }, SECRET),
    sign({ scope: "read", streams: "*-audit", tenant: "acme" }, SECRET),
  ]) {
    await refused(first.json.next, token);
  }
  const flipped = next.replace(/^./, (letter) => (letter === "A" ? "B" : "A"));
  for (const wrong of ["", "x", flipped, next.slice(4), `${next}AAAA`, "s-00500"]) {
    await refused(`/v1/streams?next=${wrong}`, auditor);
  }
  await refused(`/v1/streams?next=${next}&after=s-1`, auditor);
});
