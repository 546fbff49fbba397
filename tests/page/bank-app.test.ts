// The app of examples/bank, as `vite` serves it and as `vite build` makes it.

import assert from "node:assert/strict";
import { execFile } from "node:child_process";
import { mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { after, before, test } from "node:test";
import { fileURLToPath } from "node:url";
import { promisify } from "node:util";
import { cloudflare } from "@cloudflare/vite-plugin";
import react from "@vitejs/plugin-react";
import { chromium, type Page } from "playwright-core";
import { createBuilder, createServer, type ViteDevServer } from "vite";

const root = fileURLToPath(new URL("../../examples/bank/app/", import.meta.url));
const folder = mkdtempSync(join(tmpdir(), "sillok-bank-app-"));
const browser = await chromium.launch({
  executablePath: process.env["CHROME"] ?? "/usr/bin/chromium",
  args: ["--no-sandbox", "--disable-background-networking"],
});
let server: ViteDevServer | undefined;
let url = "";

before(async () => {
  // The configuration of the app, with data of its own.
  const local = {
    persistState: { path: join(folder, "data") },
    config: { vars: { SILLOK_AUTH: "off" } },
  };
  server = await createServer({
    configFile: false,
    root,
    logLevel: "error",
    cacheDir: join(folder, "cache"),
    plugins: [react(), cloudflare(local)],
    server: { port: 0, host: "127.0.0.1" },
  });
  await server.listen();
  url = server.resolvedUrls?.local[0] ?? "";
});
after(async () => {
  await browser.close();
  await server?.close();
  rmSync(folder, { recursive: true });
});

async function open(): Promise<Page> {
  const page = await browser.newPage();
  await page.goto(url);
  await page.getByRole("status").getByText("live").waitFor();
  return page;
}

test("accounts of another bank are imported once, and both pages show them", async () => {
  const file = join(folder, "accounts.csv");
  writeFileSync(file, "ada,Ada,500\nalan,Alan,20\n");
  const page = await open();
  for (let run = 0; run < 2; run += 1) {
    const { stdout } = await promisify(execFile)(process.execPath, [
      join(root, "import.ts"),
      file,
      url,
    ]);
    assert.equal(stdout, "2 accounts are imported\n");
  }
  await page.getByText("Ada (account-ada) has 500 cents").waitFor();
  await (await open()).getByText("Alan (account-alan) has 20 cents").waitFor();
});

test("a transfer of one page ends on another page", async () => {
  const [one, other] = await Promise.all([open(), open()]);
  await one.getByLabel("From").fill("account-ada");
  await one.getByLabel("To").fill("account-alan");
  await one.getByLabel("Cents").fill("80");
  await one.getByRole("button", { name: "Transfer" }).click();
  await other.getByRole("row", { name: "account-ada account-alan 80 completed" }).waitFor();
  await other.getByText("Ada (account-ada) has 420 cents").waitFor();
  await other.getByText("Alan (account-alan) has 100 cents").waitFor();
});

test("a rejection is shown, and changes nothing", async () => {
  const page = await open();
  const alan = page.getByRole("listitem").filter({ hasText: "account-alan" });
  await alan.getByRole("button", { name: "Withdraw 100" }).click();
  await page.getByText("Alan (account-alan) has 0 cents").waitFor();
  await alan.getByRole("button", { name: "Withdraw 100" }).click();
  await alan.getByRole("alert").getByText("insufficient_funds").waitFor();
});

test("it is built, without the variables of this machine", async () => {
  const outDir = join(folder, "dist");
  const builder = await createBuilder({ root, logLevel: "error", build: { outDir } });
  await builder.buildApp();
  const files = readdirSync(outDir, { recursive: true }).map(String);
  assert.ok(
    files.some((name) => name.endsWith("index.html")),
    String(files),
  );
  assert.equal(files.filter((name) => name.endsWith(".wasm")).length, 1, "one engine");
  const configuration = readFileSync(join(outDir, "sillok_bank_app/wrangler.json"), "utf8");
  assert.doesNotMatch(configuration, /SILLOK_AUTH/);
});
