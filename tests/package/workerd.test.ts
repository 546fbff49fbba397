// The package in a Worker: bundled by wrangler, without configuration, and run by workerd.

import assert from "node:assert/strict";
import { readdir } from "node:fs/promises";
import { after, before, test } from "node:test";

import { build } from "esbuild";

import { type Server } from "../support/server.ts";
import { LEAST_BEHAVIOURS } from "./contract.ts";
import { SECRET, serverWithTokens } from "./on-server.ts";
import { useScratch } from "./scratch.ts";

// wrangler must not ask a server for news or for a request's place of origin.
process.env["WRANGLER_SEND_METRICS"] = "false";
process.env["CLOUDFLARE_CF_FETCH_ENABLED"] = "false";
const { createTestHarness } = await import("wrangler");

const WORKER = `
import "sillok/engine";
import * as sillok from "sillok";
import * as testing from "sillok/testing";
import { failures } from "./behaviour.js";

// In this scope random numbers throw, and so does everything that needs them.
const store = new sillok.EventStore();
let refused = "";
try {
  store.saveEvent({ aggregateId: "1" });
} catch (error) {
  refused = error.message;
}

export default {
  async fetch(request) {
    const remote = await request.json();
    const { version } = await store.append("1", { type: "Opened" });
    return Response.json({ ...(await failures(sillok, testing, remote)), refused, version });
  },
};
`;

const scratch = useScratch(async (scratch) => {
  await build({
    entryPoints: [`${import.meta.dirname}/behaviour.ts`],
    outfile: scratch.at("behaviour.js"),
    format: "esm",
    bundle: true,
    external: ["sillok"],
  });
  await scratch.write("worker.js", WORKER);
  const config = { name: "uses-sillok", main: "worker.js", compatibility_date: "2026-11-17" };
  await scratch.write("wrangler.json", JSON.stringify(config));
});

let remote: Server;
before(async () => {
  remote = await serverWithTokens();
});
after(() => remote.stop());

test("it behaves in workerd as on other platforms", async () => {
  const server = createTestHarness({ workers: [{ configPath: scratch.at("wrangler.json") }] });
  try {
    await server.listen();
    const body = JSON.stringify({ url: remote.url.href, secret: SECRET });
    const response = await server.fetch("/", { method: "POST", body });
    const answer = (await response.json()) as Record<string, unknown>;
    const { failed, ran, refused, version } = answer;
    assert.deepEqual(failed, []);
    assert.ok(Number(ran) > 2 * LEAST_BEHAVIOURS, `${String(ran)} behaviours`);
    assert.match(String(refused), /global scope/);
    assert.equal(version, 1);
  } finally {
    await server.close();
  }
});

test("wrangler bundles the wasm as a module of its own, once", async () => {
  const args = ["deploy", "--dry-run", "--outdir", "bundled"];
  const { code, stderr } = await scratch.run("wrangler", args);
  assert.equal(code, 0, stderr);
  const modules = (await readdir(scratch.at("bundled"))).filter((name) => name.endsWith(".wasm"));
  assert.equal(modules.length, 1, modules.join());
});
