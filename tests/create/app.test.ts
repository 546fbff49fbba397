// The template `app`, from the packed packages, in an empty folder, as the quick start says. Two pages in Chromium show the same balances.
import assert from "node:assert/strict";
import { after, test } from "node:test";
import { chromium } from "playwright-core";
import { freePort } from "../docs/dev-server.ts";
import { compilers } from "./compilers.ts";
import { Followed } from "./followed.ts";
import { User } from "./user.ts";

const user = await User.start();
const guide = new Followed("A page");
const project = user.at("my-app");
const browser = await chromium.launch({
  executablePath: process.env["CHROME"] ?? "/usr/bin/chromium",
  args: ["--no-sandbox", "--disable-background-networking"],
});
after(() => browser.close());

test("it is created, and installs", async () => {
  const printed = await user.succeeds(guide.shows("npm create sillok my-app -- --template app"));
  assert.match(printed, /npm test .*\n {2}npm run dev .*\n {2}npm run deploy .*\n$/);
  await user.succeeds(`${guide.shows("cd my-app")} && ${guide.shows("npm install")}`);
});

test("its tests pass", async () => {
  assert.match(await user.succeeds(guide.shows("npm test"), project), /Tests +8 passed/);
});

test("a command of one page changes the balance that another page shows", async () => {
  const port = await freePort();
  const dev = user.start(`${guide.shows("npm run dev")} -- --port ${port} --strictPort`, project);
  try {
    await dev.prints(/Local:/);
    const [one, other] = await Promise.all([browser.newPage(), browser.newPage()]);
    for (const page of [one, other]) {
      await page.goto(`http://localhost:${port}/`);
      await page.getByText("live").waitFor();
    }
    await one.getByLabel("Owner").fill("Ada");
    await one.getByRole("button", { name: "Open an account" }).click();
    await other.getByText("Ada has 0 cents").waitFor();
    await one.getByRole("button", { name: "Deposit 100" }).click();
    await other.getByText("Ada has 100 cents").waitFor();
    const withdraw = other.getByRole("button", { name: "Withdraw 100" });
    await withdraw.click();
    await one.getByText("Ada has 0 cents").waitFor();
    await withdraw.click();
    await other.getByText("insufficient_funds").waitFor();
  } finally {
    await dev.stop();
  }
});

test("its types are right", async () => {
  await user.succeeds("npm run types", project);
  for (const tsc of compilers) assert.equal(await user.succeeds(tsc, project), "");
});

test("it can be deployed", async () => {
  const printed = await user.succeeds("npm run deploy -- --dry-run", project);
  for (const name of ["AGGREGATE", "JOURNAL", "CONSUMER"]) assert.match(printed, new RegExp(name));
  assert.doesNotMatch(printed, /SILLOK_AUTH/, "a deployment without authentication");
});
