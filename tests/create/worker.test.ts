// The template `worker`, from the packed packages, in an empty folder, as the quick start says.
import assert from "node:assert/strict";
import { existsSync } from "node:fs";
import { test } from "node:test";
import { freePort } from "../docs/dev-server.ts";
import { compilers } from "./compilers.ts";
import { Followed, section } from "./followed.ts";
import { User } from "./user.ts";

const user = await User.start();
const guide = new Followed("", "A Worker");
const project = user.at("my-bank");

test("it is created, and installs", async () => {
  const create = guide.shows("npm create sillok my-bank -- --template worker");
  const printed = await user.succeeds(create);
  const next =
    /cd my-bank\n {2}npm install\n {2}npm test .*\n {2}npm run dev .*\n {2}npm run deploy .*\n$/;
  assert.match(printed, next);
  await user.succeeds(`${guide.shows("cd my-bank")} && ${guide.shows("npm install")}`);
  assert(existsSync(user.at("my-bank/.gitignore")), "npm would leave this name out");
});

test("its tests pass", async () => {
  assert.match(await user.succeeds(guide.shows("npm test"), project), /Tests +7 passed/);
});

test("dev starts the Worker, which answers as the guide says", async () => {
  const port = await freePort();
  const start = guide.shows("npm run dev");
  const dev = user.start(`${start} -- --port ${port} --inspector-port 0`, project);
  try {
    await dev.prints(/Ready on/);
    const console = await fetch(`http://127.0.0.1:${port}/`);
    assert.match(await console.text(), /<title>Sillok<\/title>/);
    const requests = guide.commands.filter((command) => command.startsWith("curl "));
    const send = (request = "") =>
      user.succeeds(guide.shows(request).replace(":8787", `:${port}`).replace("curl", "curl -s"));
    const [open, deposit, state, documents] = requests;
    assert.equal(JSON.parse(await send(open)).version, 1);
    assert.equal(JSON.parse(await send(deposit)).version, 2);
    const [, shown = ""] = /^```text\n(.*?)^```$/ms.exec(section("A Worker")) ?? [];
    const answers = shown.trimEnd().split("\n");
    assert.equal(await send(state), answers[0]);
    let read = "";
    while (!read.includes('"cents":100')) read = await send(documents);
    assert.equal(read, answers[1]);
  } finally {
    await dev.stop();
  }
});

test("its types are right", async () => {
  await user.succeeds(guide.shows("npm run types"), project);
  for (const tsc of compilers) assert.equal(await user.succeeds(tsc, project), "");
});

test("it can be deployed", async () => {
  const secret = guide.shows("npx wrangler secret put SILLOK_SECRET");
  await user.succeeds(`${secret} --help`, project);
  const printed = await user.succeeds(`${guide.shows("npm run deploy")} -- --dry-run`, project);
  for (const name of ["AGGREGATE", "JOURNAL", "CONSUMER"]) assert.match(printed, new RegExp(name));
  assert.doesNotMatch(printed, /SILLOK_AUTH/, "a deployment without authentication");
});
