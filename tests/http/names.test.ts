/** An invalid name is refused in every path, and reaches no object. */

import assert from "node:assert/strict";
import { fileURLToPath } from "node:url";
import { test } from "node:test";

import { assertProblem, numbered, useApi } from "../support/api.ts";
import { sign } from "../support/token.ts";

const SECRET = "a secret of the tests, of more than 32 bytes";
const entry = fileURLToPath(new URL("../support/own-worker.ts", import.meta.url));
const api = useApi({ entry, vars: { SILLOK_SECRET: SECRET } });

const as = (claims: object) => ({ Authorization: `Bearer ${sign(claims, SECRET)}` });
const admin = as({ scope: "admin" });

const STREAM = ["invalid_stream_id", "stream"] as const;
const NAME = ["invalid_consumer_name", "name"] as const;
const KEY = ["invalid_document_key", "key"] as const;
const ID = ["invalid_parameter", "id"] as const;

/** Every path with a parameter, which is `*` here, the refusal of an invalid name, and the methods of the path. */
const PATHS: [path: string, refused: readonly [string, string], methods: string][] = [
  ["streams/*", STREAM, "GET HEAD DELETE"],
  ["streams/*/events", STREAM, "GET HEAD POST"],
  ["streams/*/verify", STREAM, "GET HEAD"],
  ["streams/*/commits", STREAM, "GET HEAD"],
  ["streams/*/truncate", STREAM, "POST"],
  ["consumers/*", NAME, "GET HEAD PUT DELETE"],
  ["consumers/*/pause", NAME, "POST"],
  ["consumers/*/resume", NAME, "POST"],
  ["consumers/*/retry", NAME, "POST"],
  ["consumers/*/rebuild", NAME, "POST"],
  ["consumers/*/dead-letters", NAME, "GET HEAD DELETE"],
  ["consumers/*/dead-letters/1", NAME, "DELETE"],
  ["consumers/sums/dead-letters/*", ID, "DELETE"],
  ["projections/*/documents", NAME, "GET HEAD"],
  ["projections/*/documents/count-1", NAME, "GET HEAD"],
  ["projections/sums/documents/*", KEY, "GET HEAD"],
];

const WRONG = ["%1F", "%00", "%7F", "%0A", "%C2%85", "%FF", "%zz", "a".repeat(201)].flatMap(
  (text) =>
    text.startsWith("a") ? [text] : [text, `acme${text}sums`, `${text}sums`, `acme${text}`],
);

for (const [path, [code, field], methods] of PATHS) {
  test(`what is no name is refused in ${path}`, async () => {
    for (const method of methods.split(" ")) {
      for (const wrong of WRONG) {
        const init = { method, headers: admin, ...(method === "PUT" && { body: WEBHOOK }) };
        const reply = await api.request(`/v1/${path.replace("*", wrong)}`, init);
        assert.equal(reply.status, 400, `${method} ${wrong}: ${reply.text}`);
        if (method !== "HEAD") assertProblem(reply, 400, code, field);
      }
    }
  });
}

const WEBHOOK = JSON.stringify({ kind: "webhook", url: "https://example.invalid/" });

test("min refuses an invalid name", async () => {
  for (const wrong of ["acme%1Fcount-1@1", "%00@1", "count-1%7F@1", "count-1%0A@1"]) {
    for (const path of ["documents", "documents/count-1"]) {
      const reply = await api.request(`/v1/projections/sums/${path}?min=${wrong}`, {
        headers: admin,
      });
      assertProblem(reply, 400, "invalid_parameter", "min");
    }
  }
});

test("no name of the default tenant is a consumer or a document of another one", async () => {
  const acme = as({ scope: "admin", tenant: "acme" });
  await api.appended("count-1", numbered(3), acme);
  const own = await api.request("/v1/projections/sums/documents/count-1?min=count-1@3", {
    headers: acme,
  });
  assert.equal(own.json.events, 3);
  const spy = { method: "PUT", headers: admin, body: WEBHOOK };
  assertProblem(await api.request("/v1/consumers/acme%1Fspy", spy), 400, ...NAME);
  const reader = as({ scope: "read" });
  for (const path of ["documents", "documents/count-1"]) {
    const reply = await api.request(`/v1/projections/acme%1Fsums/${path}`, { headers: reader });
    assertProblem(reply, 400, ...NAME);
  }
  const { consumers } = (await api.request("/v1/consumers", { headers: acme })).json;
  assert.deepEqual(
    consumers.map(({ name }: any) => name).filter((name: string) => name === "spy"),
    [],
  );
});
