/** examples/unique-email: an address belongs to one user, also if requests race, repeat or are cut off. */

import assert from "node:assert/strict";
import { test } from "node:test";
import { fileURLToPath } from "node:url";

import { connect } from "sillok";

import { emailId } from "../../examples/unique-email/email.ts";
import type { App } from "../../examples/unique-email/worker.ts";
import { useApi } from "../support/api.ts";

const path = "../../examples/unique-email/wrangler.toml";
const api = useApi({ config: fileURLToPath(new URL(path, import.meta.url)) });

async function setEmail(user: string, email: string): Promise<[status: number, result: string]> {
  const body = JSON.stringify({ email });
  const { status, json } = await api.request(`/users/${user}`, { method: "PUT", body });
  return [status, json.result];
}
const emailOf = async (user: string) => (await api.request(`/users/${user}`)).json.email;
const claimOf = async (address: string) =>
  connect<App>(api.server.url).aggregate("email", await emailId(address));

test("the first user gets the address, and a repeat changes nothing", async () => {
  assert.deepEqual(await setEmail("ada", "ada@example.com"), [200, "done"]);
  assert.deepEqual(await setEmail("alan", "Ada@example.com"), [409, "email_taken"]);
  assert.deepEqual(await setEmail("ada", "ada@example.com"), [200, "done"]);
  assert.equal(await emailOf("ada"), "ada@example.com");
  assert.equal(await emailOf("alan"), null);
  assert.equal((await (await claimOf("ada@example.com")).state()).version, 1);
});

test("of 20 users who want one address at the same time, one gets it", async () => {
  const users = Array.from({ length: 20 }, (_, n) => `racer${n}`);
  const results = await Promise.all(users.map((user) => setEmail(user, "one@example.com")));
  assert.deepEqual(results.map(([status]) => status).toSorted(), [
    200,
    ...Array.from({ length: 19 }, () => 409),
  ]);
  const emails = await Promise.all(users.map(emailOf));
  assert.equal(emails.filter((email) => email === "one@example.com").length, 1);
});

test("a call that was cut off after the claim is repeated", async () => {
  const claim = await claimOf("late@example.com");
  await claim.execute({ type: "Claim", data: { user: "late" } });
  assert.deepEqual(await setEmail("other", "late@example.com"), [409, "email_taken"]);
  assert.deepEqual(await setEmail("late", "late@example.com"), [200, "done"]);
});

test("a user keeps earlier addresses until it is closed", async () => {
  await setEmail("moving", "old@example.com");
  await setEmail("moving", "new@example.com");
  assert.deepEqual(await setEmail("next", "old@example.com"), [409, "email_taken"]);
  for (let time = 0; time < 2; time += 1) {
    assert.equal((await api.request("/users/moving", { method: "DELETE" })).status, 204);
  }
  assert.deepEqual(await setEmail("next", "old@example.com"), [200, "done"]);
  // A closed user gets no address, and holds none.
  assert.deepEqual(await setEmail("moving", "new@example.com"), [409, "user_closed"]);
  assert.equal((await (await claimOf("new@example.com")).state()).state.user, null);
});

test("an invalid address is refused with its field", async () => {
  const body = '{"email":"nobody"}';
  const { status, json } = await api.request("/users/wrong", { method: "PUT", body });
  assert.deepEqual([status, json.result, json.field], [400, "invalid_command", "data.email"]);
  assert.equal((await (await claimOf("nobody")).state()).version, 0);
});

test("a body without an address, and a malformed path, are refused", async () => {
  const claim = await claimOf("wrong@example.com");
  for (const body of ["", "{", "null", "{}", '{"email":7}']) {
    const { status, json } = await api.request("/users/wrong", { method: "PUT", body });
    assert.deepEqual([status, json], [400, { result: "invalid_request", field: "email" }], body);
  }
  for (const method of ["GET", "PUT", "DELETE"]) {
    const body = method === "PUT" ? { body: '{"email":"wrong@example.com"}' } : {};
    for (const [path, expected] of [
      ["%", { result: "invalid_request", field: "id" }],
      ["%ff", { result: "invalid_request", field: "id" }],
      ["a%00", { result: "invalid_stream_id", field: "stream" }],
    ] as const) {
      const { status, json } = await api.request(`/users/${path}`, { method, ...body });
      assert.deepEqual([status, json], [400, expected], `${method} ${path}`);
    }
  }
  assert.equal(await emailOf("wrong"), null);
  // The address was not claimed.
  assert.equal((await claim.state()).version, 0);
});
