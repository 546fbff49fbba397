// Follows "Your first Worker" of docs/guides/commands.md literally, in an empty folder, with the packed package.
import assert from "node:assert/strict";
import { readdirSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { test } from "node:test";
import { firstFiles, firstWorker } from "./fenced.ts";
import { said } from "./printed.ts";
import { installed, Reader } from "./reader.ts";

const commands = [...firstWorker.matchAll(/^```sh\n(.*?)^```$/gms)].flatMap(([, block = ""]) =>
  block.trim().split("\n"),
);
const reader = new Reader(commands);
/** The address of the Worker. */
let url = "";

test("the packages are installed in an empty folder", async () => {
  assert.deepEqual(readdirSync(reader.folder), []);
  const tarball = process.env.SILLOK_TARBALL;
  assert.ok(tarball, "SILLOK_TARBALL names the packed package");
  await reader.type("npm init --yes");
  await reader.type("npm pkg set type=module");
  // The other packages are those of this project, so that the test needs no network.
  const flags = "--no-audit --no-fund --offline";
  const tools = ["wrangler", "typescript", "@types/node"];
  await reader.type(
    "npm install sillok zod",
    `npm install ${flags} ${tarball} ${installed("zod")}`,
  );
  await reader.type(
    "npm install --save-dev wrangler typescript @types/node",
    `npm install ${flags} --save-dev ${tools.map(installed).join(" ")}`,
  );
});

test("the tests of the rules pass", async () => {
  const names = [
    "tsconfig.json",
    "account.ts",
    "account.test.ts",
    "balances.ts",
    "worker.ts",
    "wrangler.toml",
    "client.ts",
    "token.ts",
  ];
  assert.deepEqual([...firstFiles.keys()], names);
  for (const [name, text] of firstFiles) writeFileSync(join(reader.folder, name), text);
  assert.match(await reader.type("node --test"), /^. pass 6$[^]*^. fail 0$/m);
});

test("the Worker starts, and decides commands", async () => {
  url = await reader.start("npx wrangler dev --var SILLOK_AUTH:off");
  const here = (command: string) => command.replace("http://127.0.0.1:8787", url);
  const [open = "", deposit = "", state = "", documents = ""] = commands.filter((command) =>
    command.startsWith("curl "),
  );
  assert.equal(JSON.parse(await reader.type(open, here(open))).version, 1);
  assert.equal(JSON.parse(await reader.type(deposit, here(deposit))).version, 2);
  const [, shown = ""] = /^```text\n(.*?)^```$/ms.exec(firstWorker) ?? [];
  const answers = shown.trimEnd().split("\n");
  assert.equal(await reader.type(state, here(state)), answers[0]);
  let read = "";
  while (!read.includes('"cents":100')) read = await reader.type(documents, here(documents));
  assert.equal(read, answers[1]);
  const printed = await reader.type("node client.ts", `node client.ts ${url}`);
  assert.deepEqual(printed.trimEnd().split("\n"), said(firstFiles.get("client.ts") ?? ""));
});

test("all files have the right types", async () => {
  assert.equal(await reader.type("npx tsc"), "");
});

test("with a secret, the Worker answers a program with a token", async () => {
  await reader.type('echo "SILLOK_SECRET=$(openssl rand -base64 32)" > .dev.vars');
  url = await reader.start("npx wrangler dev");
  await assert.rejects(reader.type("node client.ts", `node client.ts ${url}`), /missing_token/);
  const run = "TOKEN=$(node --env-file=.dev.vars token.ts) node client.ts";
  const printed = await reader.type(run, `${run} ${url}`);
  assert.deepEqual(printed.trimEnd().split("\n"), said(firstFiles.get("client.ts") ?? ""));
});

test("the Worker can be deployed", async () => {
  await reader.type(
    "npx wrangler secret put SILLOK_SECRET",
    "npx wrangler secret put SILLOK_SECRET --help",
  );
  await reader.type("npx wrangler deploy", "npx wrangler deploy --dry-run");
  assert.deepEqual([...new Set(reader.typed)], commands);
});
