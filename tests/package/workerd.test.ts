// The package in a Worker: bundled by wrangler, without configuration, and run by workerd.

import assert from "node:assert/strict";
import { readdir } from "node:fs/promises";
import { test } from "node:test";

import { build } from "esbuild";

import { useScratch } from "./scratch.ts";

// wrangler asks nobody, neither for news nor for a request's place of origin.
process.env["WRANGLER_SEND_METRICS"] = "false";
process.env["CLOUDFLARE_CF_FETCH_ENABLED"] = "false";
const { createTestHarness } = await import("wrangler");

const WORKER = `
import * as sillok from "sillok";
import { failures } from "./behaviour.js";

// Random numbers are refused here, and so is what needs them.
const store = new sillok.EventStore();
let refused = "";
try {
  store.saveEvent({ aggregateId: "1" });
} catch (error) {
  refused = error.message;
}

export default {
  async fetch() {
    const appended = await store.append("1", { type: "Opened" });
    return Response.json({ failures: await failures(sillok), refused, version: appended.version });
  },
};
`;

const scratch = useScratch(async (scratch) => {
  await build({
    entryPoints: [`${import.meta.dirname}/behaviour.ts`],
    outfile: scratch.at("behaviour.js"),
    format: "esm",
    bundle: true,
  });
  await scratch.write("worker.js", WORKER);
  const config = { name: "uses-sillok", main: "worker.js", compatibility_date: "2026-11-17" };
  await scratch.write("wrangler.json", JSON.stringify(config));
});

test("it does in workerd what it does elsewhere", async () => {
  const server = createTestHarness({ workers: [{ configPath: scratch.at("wrangler.json") }] });
  try {
    await server.listen();
    const response = await server.fetch("/");
    const { failures, refused, version } = (await response.json()) as Record<string, unknown>;
    assert.deepEqual(failures, []);
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
