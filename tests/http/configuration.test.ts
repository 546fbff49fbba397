/** A wrong configuration is named by the first request, and by `GET /v1/ready`. */

import assert from "node:assert/strict";
import { test } from "node:test";
import { fileURLToPath } from "node:url";

import {
  type Api,
  assertProblem,
  eventsPath,
  freshStream,
  numbered,
  useApi,
} from "../support/api.ts";

const config = fileURLToPath(import.meta.resolve("../support/misconfigured/wrangler.toml"));
const SECRET = "thirty-two bytes are long enough";
const lines: string[] = [];

const unbound = useApi({ config, log: (line) => void lines.push(line) });

test("bindings that are missing or misspelt are named", async () => {
  for (let times = 0; times < 3; times += 1) {
    const reply = await unbound.read(freshStream());
    assertProblem(reply, 500, "invalid_configuration");
    assert.match(
      reply.json.detail,
      /AGGREGATE is missing.*CONSUMER is missing.*AGREGATE is unknown: is it AGGREGATE\?/,
    );
    assert.deepEqual(reply.json.missing, ["AGGREGATE", "CONSUMER"]);
    assert.deepEqual(reply.json.misspelt, { AGREGATE: "AGGREGATE" });
  }
  const ready = await unbound.request("/v1/ready");
  assertProblem(ready, 503, "invalid_configuration");
  assert.deepEqual(ready.json.missing, ["AGGREGATE", "CONSUMER"]);
  assert.equal((await unbound.request("/v1/health")).status, 200);
  const logged = lines.filter((line) => line.includes("this deployment is not configured"));
  assert.equal(logged.length, 1, "it is logged once");
});

const misspelt = useApi({
  vars: { SILOK_SECRET: SECRET, JOURNAL_PARTITION: "2", SILLOK_URL: "x" },
});

test("variables and secrets that are misspelt are named", async () => {
  const reply = await misspelt.read(freshStream());
  assertProblem(reply, 500, "invalid_configuration");
  assert.deepEqual(reply.json.misspelt, {
    SILOK_SECRET: "SILLOK_SECRET",
    JOURNAL_PARTITION: "JOURNAL_PARTITIONS",
  });
  assert.deepEqual(reply.json.missing, []);
  assert(!reply.text.includes(SECRET), "it says nothing secret");
  assertProblem(await misspelt.request("/v1/ready"), 503, "invalid_configuration");
});

const NOT_READY: Record<string, [string, Api]> = {
  "no secret": ["auth_not_configured", useApi({ vars: {} })],
  "a short secret": ["auth_not_configured", useApi({ vars: { SILLOK_SECRET: "short" } })],
  "a wrong number of partitions": [
    "invalid_configuration",
    useApi({ vars: { SILLOK_SECRET: SECRET, JOURNAL_PARTITIONS: "many" } }),
  ],
};

for (const [what, [code, api]] of Object.entries(NOT_READY)) {
  test(`a deployment with ${what} is not ready`, async () => {
    const ready = await api.request("/v1/ready");
    assertProblem(ready, 503, code);
    assert.equal((await api.request("/v1/health")).status, 200);
  });
}

const guarded = useApi({
  vars: { SILLOK_SECRET: SECRET, JOURNAL_PARTITIONS: "2", SILLOK_SECRETS: "of another Worker" },
});

test("a configured deployment is ready, without a token", async () => {
  const ready = await guarded.request("/v1/ready");
  assert.deepEqual([ready.status, ready.json], [200, { status: "ready" }]);
  assert.equal(ready.headers.get("cache-control"), "no-store");
  assert.equal((await guarded.request("/v1/ready", { method: "HEAD" })).status, 200);
  const headers = { Authorization: `Bearer ${SECRET}` };
  assert.equal(await guarded.appended(freshStream(), numbered(1), headers), 1);
  assertProblem(await guarded.request(eventsPath(freshStream())), 401, "missing_token");
  assertProblem(await guarded.request("/v1/ready", { method: "POST" }), 405, "method_not_allowed");
});
