// Tests of the page with a store that requires a token.

import assert from "node:assert/strict";
import { test } from "node:test";
import { addressOf, appendBy, freshStream, useConsole } from "./browser.ts";

const SECRET = "a-secret-of-the-tests-0123456789abcdef";
const sillok = useConsole({ SILLOK_AUTH: "", SILLOK_SECRET: SECRET });

test("the page sends a token to a store that requires one, for this tab only", async (t) => {
  const page = await sillok.open(t, addressOf(freshStream()));
  await page.locator("#record-problem").getByText("401 missing_token").waitFor();
  const token = page.getByLabel("Bearer token");
  assert.ok(
    await token.evaluate((field) => field.matches(":focus")),
    "the page asks for the token",
  );

  await token.fill("not the secret");
  await page.keyboard.press("Enter");
  await page.locator("#record-problem").getByText("401 invalid_token").waitFor();

  await token.fill(SECRET);
  await page.keyboard.press("Enter");
  await page.getByText("This stream has no events yet.").waitFor();
  await appendBy(page, "Deposited", "1");
  await page.getByText("The store appended the event as version 1.").waitFor();

  await page.reload();
  await page.getByRole("heading", { name: "Deposited" }).waitFor();
  assert.ok(!page.url().includes(SECRET), "not in the address");
  assert.equal(await page.evaluate(() => localStorage.length), 0, "not beyond this tab");
  assert.deepEqual(await page.context().cookies(), []);
  assert.ok(!(await page.content()).includes(SECRET), "not in the document");

  const other = await page.context().newPage();
  await other.goto(page.url());
  await other.locator("#record-problem").getByText("401 missing_token").waitFor();
});

test("the user can remove a token", async (t) => {
  const page = await sillok.open(t, addressOf(freshStream()));
  const token = page.getByLabel("Bearer token");
  await token.fill(SECRET);
  await page.keyboard.press("Enter");
  await page.getByText("This stream has no events yet.").waitFor();

  await page.getByText("Access token").click();
  await token.fill("");
  await page.keyboard.press("Enter");
  await page.locator("#record-problem").getByText("401 missing_token").waitFor();
  assert.equal(await page.evaluate(() => sessionStorage.length), 0);
});
