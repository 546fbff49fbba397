// The page of the guide to following, on an origin of its own: its browser cannot send a token.

import assert from "node:assert/strict";
import { createServer } from "node:http";
import type { AddressInfo } from "node:net";
import { test } from "node:test";
import { chromium } from "playwright-core";
import { fenced } from "../docs/fenced.ts";
import { startServer } from "../support/server.ts";
import { sign } from "../support/token.ts";

const SECRET = "a-secret-of-the-tests-0123456789abcdef";

test("a page of another origin follows a stream with a ticket", async (t) => {
  const sillok = await startServer({ vars: { SILLOK_AUTH: "", SILLOK_SECRET: SECRET } });
  t.after(() => sillok.stop());
  const [example = "", ...others] = fenced("docs/guides/following.md", "html");
  assert.equal(others.length, 0);
  const token = sign({ scope: "read", streams: ["account-*"] }, SECRET);
  const html = example
    .replace("https://sillok.example.workers.dev", sillok.url.origin)
    .replace("your-token", token);
  const host = createServer((_, response) => {
    response.setHeader("Content-Type", "text/html").end(html);
  }).listen(0, "127.0.0.1");
  t.after(() => host.close());

  const browser = await chromium.launch({
    executablePath: process.env["CHROME"] ?? "/usr/bin/chromium",
    args: ["--no-sandbox", "--disable-background-networking"],
  });
  t.after(() => browser.close());
  const page = await browser.newPage();
  await page.goto(`http://127.0.0.1:${(host.address() as AddressInfo).port}/`);
  for (const type of ["Opened", "Deposited"]) {
    const response = await fetch(new URL("/v1/streams/account-42/events", sillok.url), {
      method: "POST",
      headers: { Authorization: `Bearer ${SECRET}` },
      body: JSON.stringify({ type }),
    });
    assert.equal(response.status, 201);
    await page.locator("#events li", { hasText: type }).waitFor();
  }
  assert.deepEqual(await page.locator("#events li").allTextContents(), ["Opened", "Deposited"]);
});
