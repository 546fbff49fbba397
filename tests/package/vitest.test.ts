// Tests of a user's own Worker, by vitest and Cloudflare's plugin.

import assert from "node:assert/strict";
import { mkdir, symlink } from "node:fs/promises";
import { join } from "node:path";
import { test } from "node:test";

import { OPEN, ownConfiguration } from "./own-configuration.ts";
import { ROOT, useScratch } from "./scratch.ts";

const WORKER = `
import { aggregate, projection, reactor, reject } from "sillok";
import { sillok } from "sillok/worker";

type Event = { type: "Deposited"; data: { cents: number } };
type Command = { type: "Deposit"; data: { cents: number } };

const account = aggregate<Event, Command, number>("account", {
  initialState: () => 0,
  evolve: (sum, { data }) => sum + data.cents,
  decide: ({ data }) => (data.cents > 0 ? { type: "Deposited", data } : reject("nothing")),
});
const balances = projection<Event, number>("balances", {
  category: "account",
  on: ({ stream, data }, documents) =>
    documents.put(stream, (documents.get(stream) ?? 0) + data.cents),
});
const letters = reactor<Event>("letters", {
  category: "account",
  on: ({ stream }, { append }) => append("letter-" + stream, { type: "Thanked" }),
});

const app = sillok({ aggregates: [account], projections: [balances], reactors: [letters] });
export class Aggregate extends app.objects.Aggregate {}
export class Journal extends app.objects.Journal {}
export class Consumer extends app.objects.Consumer {}
export default app;
`;

const TEST = `
import { exports } from "cloudflare:workers";
import { expect, test } from "vitest";

const send = (path, body) =>
  exports.default.fetch("http://localhost/v1" + path, { method: "POST", body: JSON.stringify(body) });

test("a command, its document and its letter", async () => {
  const path = "/streams/account-42/commands";
  const accepted = await send(path, { type: "Deposit", data: { cents: 5 } });
  expect(accepted.status).toBe(200);
  expect((await send(path, { type: "Deposit", data: { cents: 7 } })).status).toBe(200);
  const refused = await send(path, { type: "Deposit", data: { cents: 0 } });
  expect(refused.status).toBe(422);
  const document = "/projections/balances/documents/account-42?min=account-42@2";
  expect(await (await exports.default.fetch("http://localhost/v1" + document)).json()).toBe(12);
  await expect
    .poll(async () => {
      const letters = await exports.default.fetch("http://localhost/v1/streams/letter-account-42");
      return (await letters.json()).version;
    }, { timeout: 20_000 })
    .toBe(2);
});
`;

const CONFIG = `
import { cloudflareTest } from "@cloudflare/vitest-plugin";
import { defineConfig } from "vitest/config";

export default defineConfig({
  plugins: [cloudflareTest({ wrangler: { configPath: "./wrangler.toml" } })],
  test: { testTimeout: 60_000 },
});
`;

const scratch = useScratch(async (scratch) => {
  await mkdir(scratch.at("node_modules/@cloudflare"), { recursive: true });
  for (const name of ["vitest", "@cloudflare/vitest-plugin"]) {
    await symlink(join(ROOT, "node_modules", name), scratch.at(`node_modules/${name}`));
  }
  // The plugin has a runtime of its own, which is older than wrangler's.
  await scratch.write("wrangler.toml", await ownConfiguration("2026-11-01", OPEN));
  await scratch.write("worker.ts", WORKER);
  await scratch.write("worker.test.js", TEST);
  await scratch.write("vitest.config.mjs", CONFIG);
});

test("aggregates, projections and reactors run under Cloudflare's plugin for vitest", async () => {
  const { code, stdout, stderr } = await scratch.run("vitest", ["run", "--reporter=verbose"]);
  assert.equal(code, 0, stdout + stderr);
  assert.match(stdout, /a command, its document and its letter/);
});
