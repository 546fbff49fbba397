// Tests of the page of examples/bank.

import assert from "node:assert/strict";
import { test } from "node:test";
import { fileURLToPath } from "node:url";
import type { Page } from "playwright-core";
import { connect } from "sillok";
import type { App } from "../../examples/bank/worker.ts";
import { useConsole } from "./browser.ts";

const SECRET = "a-secret-of-the-tests-0123456789abcdef";
const config = fileURLToPath(new URL("../../examples/bank/wrangler.toml", import.meta.url));
const site = useConsole({ SILLOK_AUTH: "", SILLOK_SECRET: SECRET }, { config });

const bank = () => connect<App>(site.url(), { token: SECRET });

async function open(id: string, cents: number, owner = id): Promise<string> {
  const account = bank().aggregate("account", id);
  await account.execute({ type: "Open", data: { owner } });
  await account.execute({ type: "Deposit", data: { cents } });
  return account.stream;
}

/** Waits for a row with exactly these texts. */
async function row(page: Page, section: string, ...texts: string[]): Promise<void> {
  const isThere = ([section, texts]: [string, string[]]) =>
    [...document.querySelectorAll<HTMLTableRowElement>(`#${section} tbody tr`)].some(
      ({ cells }) =>
        JSON.stringify([...cells].map((cell) => cell.textContent)) === JSON.stringify(texts),
    );
  await page.waitForFunction(isThere, [section, texts] as [string, string[]]);
}

async function enter(page: Page, token: string): Promise<void> {
  await page.getByLabel("Bearer token").fill(token);
  await page.keyboard.press("Enter");
}

test("the page asks for a token, and shows why one is refused", async (t) => {
  const page = await site.open(t, "/");
  const problem = page.locator("#balances .problem");
  await problem.getByText("missing_token").waitFor();
  await enter(page, "wrong");
  await problem.getByText("invalid_token").waitFor();
  await enter(page, SECRET);
  await page.locator("#balances .status", { hasText: "Live." }).waitFor();
  assert.equal(await problem.isVisible(), false);
  assert.ok(!page.url().includes(SECRET), "not in the address");
});

test("the page shows balances and transfers, and follows them live", async (t) => {
  const from = await open("ada", 12_345);
  const page = await site.open(t, "/");
  await enter(page, SECRET);
  await row(page, "balances", from, "ada", "123.45");

  const sent: string[] = [];
  page.on("request", (request) => sent.push(request.url()));
  const to = await open("alan", 1);
  await row(page, "balances", to, "alan", "0.01");
  const command = { type: "Request", data: { from, to, cents: 345 } } as const;
  await bank().aggregate("transfer", "1").execute(command);
  await row(page, "transfers", "transfer-1", from, to, "3.45", "completed");
  await row(page, "balances", from, "ada", "120.00");
  await row(page, "balances", to, "alan", "3.46");

  // The last events of the transfer may still be read again.
  await page.waitForTimeout(1500);
  const few = sent.length;
  await page.waitForTimeout(1500);
  assert.equal(sent.length, few, "nothing polls");
});

test("what strangers write is text", async (t) => {
  const owner = "<img src=x onerror=alert(1)>";
  const account = await open("stranger", 1, owner);
  const page = await site.open(t, "/");
  await enter(page, SECRET);
  await row(page, "balances", account, owner, "0.01");
  assert.equal(await page.locator("main img").count(), 0);
});

test("the page reports that the server does not answer, and tries again", async (t) => {
  const account = await open("lost", 100);
  const page = await site.open(t, "/");
  await page.locator("#balances .problem").getByText("missing_token").waitFor();
  await page.route("**/v1/**", (route) => route.abort());
  await enter(page, SECRET);
  const status = page.locator("#balances .status");
  await status.getByText("The server does not answer. The page tries again.").waitFor();
  await page.unroute("**/v1/**");
  await row(page, "balances", account, "lost", "1.00");
  await status.getByText("Live.").waitFor();
});
