// A Worker of your own: the example in the types of `sillok/worker`, bundled by wrangler and run by workerd.

import assert from "node:assert/strict";
import { readdir, readFile } from "node:fs/promises";
import { join } from "node:path";
import { test } from "node:test";

import { ROOT, useScratch } from "./scratch.ts";

// wrangler must not ask a server for news or for a request's place of origin.
process.env["WRANGLER_SEND_METRICS"] = "false";
process.env["CLOUDFLARE_CF_FETCH_ENABLED"] = "false";
const { createTestHarness } = await import("wrangler");

const scratch = useScratch(async (scratch) => {
  const types = await readFile(
    scratch.at("node_modules/sillok/dist/types/worker/index.d.ts"),
    "utf8",
  );
  const [, example] = /^```ts\n(.*?)^```$/ms.exec(types.replaceAll(/^ *\* ?/gm, "")) ?? [];
  assert.ok(example !== undefined, "there is an example");
  await scratch.write("worker.ts", example);
  const deployed = await readFile(join(ROOT, "wrangler.toml"), "utf8");
  // The objects are those of the plain deployment. The build step is missing, because the package is installed. There is no
  // page.
  const objects = deployed.slice(deployed.indexOf("[[durable_objects.bindings]]"));
  const head = 'name = "own"\nmain = "worker.ts"\ncompatibility_date = "2026-11-17"\n';
  await scratch.write("wrangler.toml", `${head}[vars]\nSILLOK_AUTH = "off"\n${objects}`);
});

test("it appends, projects and shows its documents", async () => {
  const server = createTestHarness({ workers: [{ configPath: scratch.at("wrangler.toml") }] });
  try {
    await server.listen();
    for (const [amount, balance] of [
      [100, 100],
      [50, 150],
    ]) {
      const body = JSON.stringify({ type: "Deposited", data: { amount } });
      const path = "/v1/streams/account-42/events";
      const response = await server.fetch(path, { method: "POST", body });
      const { version } = (await response.json()) as { version: number };
      const document = `/v1/projections/balances/documents/account-42?min=account-42@${version}`;
      assert.deepEqual(await (await server.fetch(document)).json(), { amount: balance });
    }
  } finally {
    await server.close();
  }
});

test("wrangler bundles the Worker's wasm alone", async () => {
  const args = ["deploy", "--dry-run", "--outdir", "bundled"];
  const { code, stderr } = await scratch.run("wrangler", args);
  assert.equal(code, 0, stderr);
  const modules = (await readdir(scratch.at("bundled"))).filter((name) => name.endsWith(".wasm"));
  assert.equal(modules.length, 1, modules.join());
  assert.match(modules.join(), /worker\.wasm$/);
});
