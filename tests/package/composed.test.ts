// A Worker of your own: the example in the types of `sillok/worker`, bundled by wrangler and run by workerd.

import assert from "node:assert/strict";
import { readdir, readFile } from "node:fs/promises";
import { join } from "node:path";
import { test } from "node:test";
import { gzipSync } from "node:zlib";

import { OPEN, ownConfiguration } from "./own-configuration.ts";
import { ROOT, useScratch } from "./scratch.ts";

// wrangler must not ask a server for news or for a request's place of origin.
process.env["WRANGLER_SEND_METRICS"] = "false";
process.env["CLOUDFLARE_CF_FETCH_ENABLED"] = "false";
const { createTestHarness } = await import("wrangler");

/** The largest size of a small Worker's script, gzip. */
const MOST_BYTES = 37 * 1024;

const scratch = useScratch(async (scratch) => {
  const types = await readFile(
    scratch.at("node_modules/sillok/dist/types/worker/index.d.ts"),
    "utf8",
  );
  const [, example] = /^```ts\n(.*?)^```$/ms.exec(types.replaceAll(/^ *\* ?/gm, "")) ?? [];
  assert.ok(example !== undefined, "there is an example");
  await scratch.write("worker.ts", example);
  await scratch.write("wrangler.toml", await ownConfiguration("2026-11-17", OPEN));
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

/** Both entries in one Worker. */
const MIXED = `
import { aggregate, connect, isSillokError, projection, reactor, reject, schedule, SillokError } from "sillok";
import { process, projection as same, sillok, SillokError as SameError } from "sillok/worker";

const account = aggregate("account", { initialState: () => 0, evolve: (sum) => sum, decide: () => reject("no") });
const app = sillok({
  aggregates: [account],
  projections: [projection("one", { on: () => {} }), same("two", { on: () => {} })],
  reactors: [reactor("three", { on: () => {} })],
  processes: [process("four", { initialState: () => 0, evolve: (sum) => sum, decide: () => schedule("k", 1, { type: "T" }) })],
});
export class Aggregate extends app.objects.Aggregate {}
export class Journal extends app.objects.Journal {}
export class Consumer extends app.objects.Consumer {}
export const isOne = projection === same && SillokError === SameError && isSillokError(new SameError({ code: "internal", detail: "" }));
export default { fetch: (request, env, context) => connect && app.fetch(request, env, context) };
`;

test("wrangler bundles the Worker's wasm alone, whichever entries it imports", async () => {
  await scratch.write("mixed.ts", MIXED);
  for (const main of ["worker.ts", "mixed.ts"]) {
    const args = ["deploy", main, "--dry-run", "--minify", "--outdir", `bundled-${main}`];
    const { code, stderr } = await scratch.run("wrangler", args);
    assert.equal(code, 0, stderr);
    const files = await readdir(scratch.at(`bundled-${main}`));
    const modules = files.filter((name) => name.endsWith(".wasm"));
    assert.equal(modules.length, 1, modules.join());
    assert.match(modules.join(), /worker\.wasm$/);
    const script = await readFile(scratch.at(`bundled-${main}/${main.replace(".ts", ".js")}`));
    assert.ok(gzipSync(script).length < MOST_BYTES, `${main}: ${gzipSync(script).length} bytes`);
  }
});

test("a program in Node imports a Worker, and calls it in vain", async () => {
  await scratch.write("mixed.mjs", MIXED);
  const program = `
    import assert from "node:assert/strict";
    import { SillokError } from "sillok";
    import { sillok, projection } from "sillok/worker";
    import { createRequire } from "node:module";
    import app, { Aggregate, isOne } from "./mixed.mjs";

    const require = createRequire(import.meta.url);
    assert.ok(isOne);
    assert.equal(require("sillok/worker").projection, projection);
    assert.equal(require("sillok").projection, projection);
    assert.equal(require("sillok").SillokError, SillokError);
    const unsupported = (error) => error instanceof SillokError && error.code === "unsupported_platform";
    await assert.rejects(sillok().fetch(new Request("https://a.example/v1/health"), {}, {}), unsupported);
    await assert.rejects(app.fetch(new Request("https://a.example/v1/health"), {}, {}), unsupported);
    assert.throws(() => sillok().connect({}), unsupported);
    assert.throws(() => new Aggregate({}, {}), unsupported);
    const twice = [projection("a", { on() {} }), projection("a", { on() {} })];
    assert.throws(() => sillok({ projections: twice }), TypeError);
    console.log("composed");
  `;
  await scratch.write("imports.mjs", program);
  assert.deepEqual(await scratch.lines("imports.mjs"), ["composed"]);
});

const ROUTES = `
import { aggregate, projection, reactor } from "sillok";
import { sillok } from "sillok/worker";

const account = aggregate("account", {
  initialState: () => 0,
  evolve: (sum, { data }) => sum + data,
  decide: ({ data }) => ({ type: "Deposited", data }),
});
const balances = projection("balances", {
  category: "account",
  on: ({ stream, data }, documents) => documents.put(stream, (documents.get(stream) ?? 0) + data),
});
const app = sillok({
  aggregates: [account],
  projections: [balances],
  async fetch(request, env, context) {
    const { pathname } = new URL(request.url);
    if (pathname !== "/deposit") return Response.json({ pathname, name: env.NAME, waits: typeof context.waitUntil });
    const client = app.connect(env);
    const { version } = await client.aggregate("account", "7").execute({ type: "Deposit", data: 5 });
    const events = await Array.fromAsync(client.store.read("account-7"));
    return Response.json({ version, events: events.length });
  },
});
export class Aggregate extends app.objects.Aggregate {}
export class Journal extends app.objects.Journal {}
export class Consumer extends app.objects.Consumer {}
export default app;
`;

test("a Worker has routes of its own, and calls its aggregates", async () => {
  await scratch.write("routes.js", ROUTES);
  const config = await readFile(scratch.at("wrangler.toml"), "utf8");
  const own = config.replace("worker.ts", "routes.js").replace("[vars]", '[vars]\nNAME = "own"');
  await scratch.write("routes.toml", own);
  const server = createTestHarness({ workers: [{ configPath: scratch.at("routes.toml") }] });
  try {
    await server.listen();
    const json = async (path: string) => (await server.fetch(path)).json();
    for (const path of ["/", "/v1a", "/v2/streams"]) {
      assert.deepEqual(await json(path), { pathname: path, name: "own", waits: "function" });
    }
    assert.deepEqual(await json("/deposit"), { version: 1, events: 1 });
    assert.deepEqual(await json("/deposit"), { version: 2, events: 2 });
    assert.equal(await json("/v1/projections/balances/documents/account-7?min=account-7@2"), 10);
    for (const path of ["/v1", "/v1/nothing"]) {
      const response = await server.fetch(path);
      assert.equal(response.status, 404);
      assert.equal(((await response.json()) as { code: string }).code, "not_found");
    }
  } finally {
    await server.close();
  }
});

test("a Worker serves the console of the package, and without it a problem", async () => {
  const config = await readFile(scratch.at("wrangler.toml"), "utf8");
  const assets =
    '[assets]\ndirectory = "node_modules/sillok/dist/console"\nbinding = "ASSETS"\nrun_worker_first = true\n';
  await scratch.write("console.toml", config.replace("[vars]", `${assets}[vars]`));
  for (const [file, status] of [
    ["console.toml", 200],
    ["wrangler.toml", 404],
  ] as const) {
    const server = createTestHarness({ workers: [{ configPath: scratch.at(file) }] });
    try {
      await server.listen();
      const page = await server.fetch("/");
      const text = await page.text();
      assert.equal(page.status, status, text);
      if (status === 404) assert.equal(JSON.parse(text).code, "not_found");
      else assert.equal(text, await readFile(join(ROOT, "www/index.html"), "utf8"));
      assert.equal((await server.fetch("/sillok/sillok.js")).status, status);
      assert.equal((await server.fetch("/v1/health")).status, 200);
    } finally {
      await server.close();
    }
  }
});
