/** Without a secret every caller is refused, unless the configuration turns authentication off. */

import assert from "node:assert/strict";
import { test } from "node:test";

import {
  type Api,
  assertProblem,
  eventsPath,
  freshStream,
  numbered,
  useApi,
} from "../support/api.ts";
import { sign } from "../support/token.ts";

const SHORT = "thirty-one bytes are too short.";

const CLOSED: Record<string, Api> = {
  "no variables": useApi({ vars: {} }),
  "an empty secret": useApi({ vars: { SILLOK_SECRET: "", SILLOK_AUTH: "on" } }),
  "a word that is not off": useApi({ vars: { SILLOK_AUTH: "OFF" } }),
  "a secret of 31 bytes": useApi({ vars: { SILLOK_SECRET: SHORT } }),
  "a short secret and authentication off": useApi({
    vars: { SILLOK_SECRET: SHORT, SILLOK_AUTH: "off" },
  }),
  "an empty secret and authentication off": useApi({
    vars: { SILLOK_SECRET: "", SILLOK_AUTH: "off" },
  }),
};

for (const [what, api] of Object.entries(CLOSED)) {
  test(`it fails closed with ${what}`, async () => {
    const stream = freshStream();
    for (const authorization of [
      undefined,
      "Bearer ",
      "Bearer x",
      `Bearer ${sign({ scope: "admin" }, "")}`,
      `Bearer ${SHORT}`,
      `Bearer ${sign({ scope: "admin" }, SHORT)}`,
    ]) {
      const headers = authorization === undefined ? {} : { Authorization: authorization };
      for (const path of [eventsPath(stream), "/v1/nothing"]) {
        const reply = await api.request(path, { headers });
        assertProblem(reply, 401, "auth_not_configured");
        assert.equal(reply.headers.get("www-authenticate"), 'Bearer realm="sillok"');
        if (what.includes("secret")) assert.match(reply.json.detail, /32/, "it says why");
      }
      assertProblem(await api.append(stream, numbered(1), headers), 401, "auth_not_configured");
    }
    assert.equal((await api.request("/v1/health")).status, 200);
  });
}

const SECRET = "thirty-two bytes are long enough";
const both = useApi({ vars: { SILLOK_SECRET: SECRET, SILLOK_AUTH: "off" } });

test("beside a secret, SILLOK_AUTH=off changes nothing", async () => {
  assertProblem(await both.read(freshStream()), 401, "missing_token");
  const authorization = { Authorization: `Bearer ${SECRET}` };
  assert.equal((await both.read(freshStream(), "", authorization)).status, 200);
});

const off = useApi();

test("with SILLOK_AUTH=off every caller is the administrator, whatever it sends along", async () => {
  const stream = freshStream();
  assert.equal(await off.appended(stream, numbered(1)), 1);
  assert.equal(await off.appended(stream, numbered(1), { Authorization: "Bearer nonsense" }), 2);
});
