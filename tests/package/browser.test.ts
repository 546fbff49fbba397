// The package in Chromium: without a bundler, and through those that most pages use, none of them configured.

import assert from "node:assert/strict";
import { test, type TestContext } from "node:test";

import { build } from "esbuild";
import { chromium } from "playwright-core";
import { createServer } from "vite";

import { behaviours } from "./behaviour.ts";
import { type Scratch, useScratch } from "./scratch.ts";
import { serve } from "./static-server.ts";

const HERE = import.meta.dirname;
/** Imports the package by `name`, and leaves what failed where the test can find it. */
const program = (name: string) => `
  import * as sillok from "${name}";
  import { failures } from "./behaviour.js";
  globalThis.result = failures(sillok);
`;
const PAGE = (script: string) =>
  `<!doctype html><title>Sillok</title><link rel="icon" href="data:,">${script}`;
const MODULE = PAGE('<script type="module" src="./main.js"></script>');

const scratch = useScratch(async (scratch) => {
  await bundle(`${HERE}/behaviour.ts`, scratch.at("behaviour.js"), "esm");
  await scratch.write("main.js", program("sillok"));
  await scratch.write("index.html", MODULE);
});

async function bundle(from: string, outfile: string, format: "esm" | "iife"): Promise<void> {
  const { warnings } = await build({
    entryPoints: [from],
    outfile,
    format,
    bundle: true,
    logLevel: "silent",
  });
  assert.deepEqual(warnings, []);
}

/** Opens the page and gives what failed in it. */
async function open(t: TestContext, url: string): Promise<unknown> {
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
  await page.waitForFunction("globalThis.result");
  const result = await page.evaluate("globalThis.result");
  assert.deepEqual(wrong, [], "what the browser complained of");
  return result;
}

async function openFolder(t: TestContext, scratch: Scratch, folder: string): Promise<unknown> {
  const server = await serve(scratch.at(folder));
  t.after(() => server.stop());
  return open(t, server.url);
}

test("in a page without a bundler", async (t) => {
  await bundle(`${HERE}/behaviour.ts`, scratch.at("plain/behaviour.js"), "esm");
  await scratch.run("cp", [scratch.at("node_modules/sillok/dist/sillok.js"), scratch.at("plain")]);
  await scratch.write("plain/main.js", program("./sillok.js"));
  await scratch.write("plain/index.html", MODULE);
  assert.deepEqual(await openFolder(t, scratch, "plain"), []);
  assert.ok(Object.keys(behaviours).length > 25);
});

test("bundled by esbuild, as a module and as a classic script", async (t) => {
  for (const format of ["esm", "iife"] as const) {
    const script = format === "esm" ? 'type="module"' : "defer";
    await bundle(scratch.at("main.js"), scratch.at(`${format}/main.js`), format);
    await scratch.write(
      `${format}/index.html`,
      PAGE(`<script ${script} src="./main.js"></script>`),
    );
    assert.deepEqual(await openFolder(t, scratch, format), [], format);
  }
});

test("built by Vite", async (t) => {
  const { code, stderr } = await scratch.run("vite", ["build", "--logLevel", "warn"]);
  assert.deepEqual([code, stderr], [0, ""]);
  assert.deepEqual(await openFolder(t, scratch, "dist"), []);
});

test("served by Vite while developing", async (t) => {
  const server = await createServer({
    root: scratch.at("."),
    configFile: false,
    logLevel: "silent",
    server: { host: "127.0.0.1", port: 0 },
  });
  t.after(() => server.close());
  await server.listen();
  const url = server.resolvedUrls?.local[0];
  assert.ok(url !== undefined);
  assert.deepEqual(await open(t, url), []);
});
