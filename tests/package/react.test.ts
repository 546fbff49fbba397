// The hooks of the package with React: in Chromium over a Worker, and on a server that renders a page.

import assert from "node:assert/strict";
import { test } from "node:test";
import { fileURLToPath } from "node:url";

import { build } from "esbuild";
import { chromium, type Page } from "playwright-core";
import { connect } from "sillok/client";

import type { Bank } from "../support/bank.ts";
import { startServer } from "../support/server.ts";
import { secondsFromNow, sign } from "../support/token.ts";
import { useScratch } from "./scratch.ts";
import { serve } from "./static-server.ts";

const SECRET = "a secret of 32 bytes, or of more";
const entry = fileURLToPath(import.meta.resolve("../support/bank-worker.ts"));

const scratch = useScratch((scratch) => scratch.link("react", "react-dom", "scheduler"));

async function shows(page: Page, selector: string, expected: string): Promise<void> {
  try {
    await page.locator(selector, { hasText: expected }).waitFor({ timeout: 20_000 });
  } catch (cause) {
    throw new Error(`the page shows: ${await page.locator("main").textContent()}`, { cause });
  }
}

test("a page shows documents and events live, and sends commands", async (t) => {
  const server = await startServer({ entry, vars: { SILLOK_SECRET: SECRET } });
  t.after(() => server.stop());
  await build({
    stdin: {
      contents: `import ${JSON.stringify(`${import.meta.dirname}/react-page.tsx`)};`,
      resolveDir: scratch.at("."),
    },
    outfile: scratch.at("page/main.js"),
    bundle: true,
    format: "esm",
    jsx: "automatic",
    define: { "process.env.NODE_ENV": '"development"' },
    // The page of the tests takes the package that is installed here.
    alias: {
      "sillok/client": scratch.at("node_modules/sillok/dist/client.js"),
      "sillok/react": scratch.at("node_modules/sillok/dist/react.js"),
      react: scratch.at("node_modules/react"),
    },
  });
  const script = '<script type="module" src="./main.js"></script>';
  const html = `<!doctype html><title>Bank</title><link rel="icon" href="data:,"><div id="root"></div>`;
  await scratch.write("page/index.html", html + script);
  const pages = await serve(scratch.at("page"), server.url.origin);
  t.after(() => pages.stop());
  const token = sign({ scope: "admin", exp: secondsFromNow(3600) }, SECRET);
  const browser = await chromium.launch({
    executablePath: process.env["CHROME"] ?? "/usr/bin/chromium",
    args: ["--no-sandbox", "--disable-background-networking"],
  });
  t.after(() => browser.close());
  const account = connect<Bank>(server.url, { token }).aggregate("account", "7");
  await account.execute({ type: "Open", data: { owner: "Ada" } });

  const page = await browser.newPage();
  const wrong: string[] = [];
  page.on("pageerror", (error) => wrong.push(String(error)));
  const hash = new URLSearchParams({ url: server.url.origin, token });
  await page.goto(`${pages.url}#${hash}`);
  await shows(page, "#total", "live 0");
  await page.locator("#deposit button").click();
  await shows(page, "#total", "live 30");
  await shows(page, "ul.live li", "account-7: 30");
  await account.execute({ type: "Deposit", data: { cents: 12 } });
  await shows(page, "ul.live li", "account-7: 42");
  await shows(page, "#total", "live 42");
  await shows(page, "#events", "Deposited,Deposited");
  await page.getByRole("button", { name: "Withdraw" }).click();
  await shows(page, "main", "4958 cents are missing");
  await page.locator("#broken button").click();
  await shows(page, "#broken", "invalid_command");
  await shows(page, "#unknown", "failed consumer_not_found 0");

  const live = () => page.evaluate<{ opened: string[]; open: number }>("globalThis.live");
  const paths = ["projections/balances/documents", "projections/nobody/documents"];
  const expected = [...paths, "streams/account-7/events"].map((path) => `/v1/${path}`);
  assert.deepEqual((await live()).opened.toSorted(), expected, "in strict mode, and for two");
  await page.locator("#toggle").click();
  // The connection that has failed is not open either, but nothing aborts it.
  await page.waitForFunction("globalThis.live.open <= 1", undefined, { timeout: 20_000 });
  await page.locator("#toggle").click();
  await shows(page, "#total", "live 42");
  assert.equal((await live()).opened.length, 6, "components that are mounted again begin again");
  assert.deepEqual(wrong, []);
});

test("a server renders the page without a connection", async () => {
  const program = `
    import assert from "node:assert/strict";
    import { createElement as create } from "react";
    import { renderToString } from "react-dom/server";
    import { connect } from "sillok/client";
    import { SillokProvider, useCommand, useDocuments, useStream } from "sillok/react";
    let requests = 0;
    const client = connect("https://sillok.example", { fetch: () => { requests += 1; throw new Error("no"); } });
    function Page() {
      const { documents, status } = useDocuments("balances", { prefix: "account-" });
      const { events } = useStream("account-7");
      const { pending } = useCommand("account", "7");
      return create("p", null, JSON.stringify([documents, status, events, pending]));
    }
    const html = renderToString(create(SillokProvider, { client }, create(Page)));
    assert.equal(html.replaceAll("&quot;", '"'), '<p>[[],"loading",[],false]</p>');
    assert.equal(requests, 0);
    assert.throws(() => renderToString(create(Page)), { code: "invalid_parameter", field: "client" });
    function Wrong() { useDocuments(7); }
    assert.throws(() => renderToString(create(SillokProvider, { client }, create(Wrong))), { field: "projection" });
  `;
  await scratch.write("server.mjs", program);
  const { code, stderr } = await scratch.run(process.execPath, [scratch.at("server.mjs")]);
  assert.equal(code, 0, stderr);
});
