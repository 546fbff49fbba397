// The package in Chromium: without a bundler, and with the bundlers that most pages use. The tests note the only setting that a
// bundler needs.

import assert from "node:assert/strict";
import { readFile } from "node:fs/promises";
import { test, type TestContext } from "node:test";

import { chromium } from "playwright-core";
import { createServer } from "vite";

import { bundle } from "./bundle.ts";
import { LEAST_BEHAVIOURS } from "./contract.ts";
import { SECRET, serverWithTokens } from "./on-server.ts";
import { type Scratch, useScratch } from "./scratch.ts";
import { serve } from "./static-server.ts";

const HERE = import.meta.dirname;
/** Imports the package by these names, and leaves the failures where the test can find them. */
const program = (name: string, testing: string, remote = "undefined") => `
  import * as sillok from "${name}";
  import * as testing from "${testing}";
  import { failures } from "./behaviour.js";
  globalThis.result = failures(sillok, testing, ${remote});
`;
const PAGE = (script: string) =>
  `<!doctype html><title>Sillok</title><link rel="icon" href="data:,">${script}`;
/** Chromium logs the status of every refused request, and a page cannot prevent it. */
const REFUSED = /^Failed to load resource: the server responded with a status of 4(?!04)\d\d/;
/** The log of a failed attempt. Some behaviours let handlers fail. */
const FAILED = /^\{message: .*, stream: .*, attempt: \d+, next: [a-z-]+\}$/;
const MODULE = PAGE('<script type="module" src="./main.js"></script>');

const scratch = useScratch(async (scratch) => {
  await bundle(`${HERE}/behaviour.ts`, scratch.at("behaviour.js"), "esm", "sillok");
  await scratch.write("main.js", program("sillok", "sillok/testing"));
  await scratch.write("index.html", MODULE);
});

/** Opens the page, which must not fail, and returns the number of its behaviours. */
async function holdsIn(t: TestContext, url: string): Promise<number> {
  const browser = await chromium.launch({
    executablePath: process.env["CHROME"] ?? "/usr/bin/chromium",
    args: ["--no-sandbox", "--disable-background-networking"],
  });
  t.after(() => browser.close());
  const page = await browser.newPage();
  const wrong: string[] = [];
  page.on("pageerror", (error) => wrong.push(String(error)));
  page.on("console", (message) => {
    if (message.type() === "error" || message.type() === "warning") wrong.push(message.text());
  });
  await page.goto(url);
  await page.waitForFunction("globalThis.result", undefined, { timeout: 120_000 });
  const { failed, ran } = await page.evaluate<{ failed: string[]; ran: number }>(
    "globalThis.result",
  );
  assert.deepEqual(failed, []);
  assert.ok(
    wrong.some((text) => FAILED.test(text)),
    "a failed attempt is logged",
  );
  assert.ok(ran > LEAST_BEHAVIOURS, `${ran} behaviours`);
  assert.deepEqual(
    wrong.filter((text) => !REFUSED.test(text) && !FAILED.test(text)),
    [],
    "what the browser complained of",
  );
  return ran;
}

async function holdsInFolder(t: TestContext, scratch: Scratch, folder: string): Promise<void> {
  const pages = await serve(scratch.at(folder));
  t.after(() => pages.stop());
  await holdsIn(t, pages.url);
}

test("in a page without a bundler, and on a server of another origin", async (t) => {
  const server = await serverWithTokens();
  t.after(() => server.stop());
  await bundle(`${HERE}/behaviour.ts`, scratch.at("plain/behaviour.js"), "esm", "./sillok.js");
  await scratch.run("cp", [
    "-r",
    `${scratch.at("node_modules/sillok/dist")}/.`,
    scratch.at("plain"),
  ]);
  const remote = JSON.stringify({ url: server.url.href, secret: SECRET });
  await scratch.write("plain/main.js", program("./sillok.js", "./testing.js", remote));
  await scratch.write("plain/index.html", MODULE);
  // `sillok/testing` imports `sillok` by its name. The server forbids scripts within the page, and so also an import map.
  const testing = await readFile(scratch.at("plain/testing.js"), "utf8");
  await scratch.write("plain/testing.js", testing.replace('from "sillok"', 'from "./sillok.js"'));
  const pages = await serve(scratch.at("plain"), server.url.origin);
  t.after(() => pages.stop());
  assert.ok((await holdsIn(t, pages.url)) > 2 * LEAST_BEHAVIOURS);
});

test("bundled by esbuild, as a module and as a classic script", async (t) => {
  for (const format of ["esm", "iife"] as const) {
    const script = format === "esm" ? 'type="module"' : "defer";
    await bundle(scratch.at("main.js"), scratch.at(`${format}/main.js`), format);
    await scratch.write(
      `${format}/index.html`,
      PAGE(`<script ${script} src="./main.js"></script>`),
    );
    await holdsInFolder(t, scratch, format);
  }
});

test("built by Vite", async (t) => {
  // Beyond 500 kB it advises to split the code. The engine is one part, and the page needs it at once.
  const config = "export default { build: { chunkSizeWarningLimit: 900 } };";
  await scratch.write("vite.config.js", config);
  const { code, stderr } = await scratch.run("vite", ["build", "--logLevel", "warn"]);
  assert.deepEqual([code, stderr], [0, ""]);
  await holdsInFolder(t, scratch, "dist");
});

test("served by Vite while developing", async (t) => {
  const pages = await createServer({
    root: scratch.at("."),
    configFile: false,
    logLevel: "silent",
    server: { host: "127.0.0.1", port: 0 },
  });
  t.after(() => pages.close());
  await pages.listen();
  const url = pages.resolvedUrls?.local[0];
  assert.ok(url !== undefined);
  await holdsIn(t, url);
});

test("built by Parcel, which knows a package by its `main`", async (t) => {
  // Parcel ignores the package's `exports` unless it is configured, so the path is the file's.
  await scratch.write("main.js", program("sillok", "./node_modules/sillok/dist/testing.js"));
  const flags = ["--dist-dir", "parcel", "--no-cache", "--log-level", "warn"];
  const { code, stdout, stderr } = await scratch.run("parcel", ["build", "index.html", ...flags]);
  assert.deepEqual([code, stdout, stderr], [0, "", ""]);
  await holdsInFolder(t, scratch, "parcel");
});
