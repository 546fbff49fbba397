// Tests of the tutorial's program. The page runs it with the package's default build.

import assert from "node:assert/strict";
import { readFile } from "node:fs/promises";
import { test } from "node:test";
import { useConsole } from "./browser.ts";

const sillok = useConsole();

test("the tutorial's program prints the two events of aggregate 1 and not that of 2", async (t) => {
  const page = await sillok.open(t, "/");
  const lines = page.locator("#printed li");
  assert.equal(await lines.count(), 0);
  for (const run of ["first", "second"]) {
    await page.getByRole("button", { name: "Run" }).click();
    await page.getByText("The program has finished. It printed 2 lines.").waitFor();
    const [opened, deposited, ...rest] = await lines.allTextContents();
    assert.match(opened ?? "", /^Event handled: \{"aggregateId":"1","type":"AccountOpened"/, run);
    assert.match(deposited ?? "", /^Event handled: \{"aggregateId":"1","type":"Deposited"/, run);
    assert.deepEqual(rest, [], run);
  }
});

test("the program shown is the program that runs", async (t) => {
  const page = await sillok.open(t, "/");
  const file = new URL("../../www/tutorial-program.js", import.meta.url);
  const source = (await readFile(file, "utf8")).trimEnd();
  await page.getByText("new EventGateway(").waitFor();
  assert.equal(await page.locator("#program").textContent(), source);
  const ran = page.waitForResponse((response) => response.url().includes("tutorial-program.js?"));
  await page.getByRole("button", { name: "Run" }).click();
  assert.equal((await (await ran).text()).trimEnd(), source);
});

test("the page reports an engine that does not load", async (t) => {
  const page = await sillok.open(t, "/");
  await page.route("**/sillok/**", (route) => route.abort());
  await page.getByRole("button", { name: "Run" }).click();
  await page.getByRole("alert").getByText("The program did not run").waitFor();
  assert.equal(await page.locator("#printed li").count(), 0);
});
