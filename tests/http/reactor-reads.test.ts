/** A reactor in TypeScript reads streams and states of its tenant, and the environment of its Worker. */

import assert from "node:assert/strict";
import { test } from "node:test";
import { fileURLToPath } from "node:url";

import { streamPath, useApi } from "../support/api.ts";
import { answerOf, NUMBERS, numbersOf } from "../support/asking.ts";
import { settled } from "../support/consumers.ts";
import { sign } from "../support/token.ts";

const SECRET = "a secret of the tests, of more than 32 bytes";
const entry = fileURLToPath(import.meta.resolve("../support/asking-worker.ts"));
const api = useApi({ entry, vars: { SILLOK_SECRET: SECRET, NAME: "Ada" } });

/** The headers of a tenant's administrator, and the interface as that tenant sees it. */
function as(tenant: string | undefined) {
  const headers = { Authorization: `Bearer ${sign({ scope: "admin", tenant }, SECRET)}` };
  const request = (path: string, init: RequestInit = {}) => api.request(path, { ...init, headers });
  return { headers, request };
}

async function appendNumbers(n: number, tenant: string | undefined): Promise<void> {
  const { headers } = as(tenant);
  for (let left = NUMBERS; left > 0; left -= 500) {
    await api.appended("tally-1", numbersOf(n, 500), headers);
  }
}

test("it reads all pages of a stream and the state of an aggregate, each of its own tenant", async () => {
  const tenants = [
    [undefined, 1],
    ["north", 2],
  ] as const;
  for (const [tenant, n] of tenants) await appendNumbers(n, tenant);
  for (const [tenant] of tenants) {
    const question = { type: "Question", data: { of: "tally-1", answer: "answers" } };
    await api.appended("question-1", question, as(tenant).headers);
  }
  for (const [tenant, n] of tenants) {
    const { headers, request } = as(tenant);
    await settled({ request }, "asking");
    const { events } = (await api.read("answers", "", headers)).json;
    assert.deepEqual(
      events.map(({ data }: any) => data),
      [answerOf(n, "Ada")],
    );
  }
});

test("an event whose handler ends with an error of a read or a load after which no retry can help is given up at once", async () => {
  const { headers, request } = as("south");
  await api.appended("tally-gone", { type: "Added", data: { n: 1 } }, headers);
  assert.equal((await request(streamPath("tally-gone"), { method: "DELETE" })).status, 204);
  for (const ending of ["read", "load"]) {
    const data = { of: "tally-gone", answer: "answers", ending };
    await api.appended(`question-${ending}`, { type: "Question", data }, headers);
  }
  await settled({ request }, "asking");
  const { deadLetters } = (await request("/v1/consumers/asking/dead-letters")).json;
  assert.deepEqual(
    deadLetters.map(({ event, attempts }: any) => [event.stream, attempts]),
    [
      ["question-read", 1],
      ["question-load", 1],
    ],
  );
});
