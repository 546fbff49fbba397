// Follows "Your first Worker" of docs/guides/commands.md literally, in an empty folder, with the packed package.
import assert from "node:assert/strict";
import { execFile } from "node:child_process";
import { mkdtempSync, readdirSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { after, before, test } from "node:test";
import { fileURLToPath } from "node:url";
import { promisify } from "node:util";
import { freePort } from "./dev-server.ts";
import { firstFiles, firstWorker, root } from "./fenced.ts";
import { said } from "./printed.ts";
import { WranglerDev } from "./wrangler-dev.ts";

const commands = [...firstWorker.matchAll(/^```sh\n(.*?)^```$/gms)].flatMap(([, block = ""]) =>
  block.trim().split("\n"),
);
/** The commands that this test has run. */
const ran: string[] = [];

const folder = mkdtempSync(join(tmpdir(), "sillok-first-"));
const data = mkdtempSync(join(tmpdir(), "sillok-first-data-"));
// Without this variable, `node --test` reports to a user, and not to this test.
const { NODE_TEST_CONTEXT: _, ...env } = process.env;
const installed = (name: string) => fileURLToPath(new URL(`node_modules/${name}`, root));
let wrangler: WranglerDev;

before(async () => {
  wrangler = new WranglerDev("true", await freePort(), data);
});
after(async () => {
  await wrangler.stop();
  for (const path of [folder, data]) rmSync(path, { recursive: true, force: true });
});

/** Runs a command of the guide in the folder, as changed by the test, and returns what it prints. */
async function type(command: string, changed = command): Promise<string> {
  assert.ok(commands.includes(command), `the guide shows ${command}`);
  ran.push(command);
  const { stdout } = await promisify(execFile)("sh", ["-c", changed], { cwd: folder, env });
  return stdout;
}

test("the packages are installed in an empty folder", async () => {
  assert.deepEqual(readdirSync(folder), []);
  const tarball = process.env.SILLOK_TARBALL;
  assert.ok(tarball, "SILLOK_TARBALL names the packed package");
  await type("npm init --yes");
  await type("npm pkg set type=module");
  // The other packages are those of this project, so that the test needs no network.
  const flags = "--no-audit --no-fund --offline";
  const tools = ["wrangler", "typescript", "@types/node"];
  await type("npm install sillok zod", `npm install ${flags} ${tarball} ${installed("zod")}`);
  await type(
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
  for (const [name, text] of firstFiles) writeFileSync(join(folder, name), text);
  assert.match(await type("node --test"), /^. pass 6$[^]*^. fail 0$/m);
});

test("the Worker starts, and decides commands", async () => {
  const start = "npx wrangler dev --var SILLOK_AUTH:off";
  assert.ok(commands.includes(start));
  ran.push(start);
  wrangler = new WranglerDev(start, await freePort(), data, folder);
  await wrangler.ready();
  const here = (command: string) => command.replace("http://127.0.0.1:8787", wrangler.url);
  const [open = "", deposit = "", state = "", documents = ""] = commands.filter((command) =>
    command.startsWith("curl "),
  );
  assert.equal(JSON.parse(await type(open, here(open))).version, 1);
  assert.equal(JSON.parse(await type(deposit, here(deposit))).version, 2);
  const [, shown = ""] = /^```text\n(.*?)^```$/ms.exec(firstWorker) ?? [];
  const answers = shown.trimEnd().split("\n");
  assert.equal(await type(state, here(state)), answers[0]);
  let read = "";
  while (!read.includes('"cents":100')) read = await type(documents, here(documents));
  assert.equal(read, answers[1]);
  const printed = await type("node client.ts", `node client.ts ${wrangler.url}`);
  assert.deepEqual(printed.trimEnd().split("\n"), said(firstFiles.get("client.ts") ?? ""));
});

test("all files have the right types", async () => {
  assert.equal(await type("npx tsc"), "");
});

test("with a secret, the Worker answers a program with a token", async () => {
  await wrangler.stop();
  await type('echo "SILLOK_SECRET=$(openssl rand -base64 32)" > .dev.vars');
  const start = "npx wrangler dev";
  assert.ok(commands.includes(start));
  ran.push(start);
  wrangler = new WranglerDev(start, await freePort(), data, folder);
  await wrangler.ready();
  await assert.rejects(type("node client.ts", `node client.ts ${wrangler.url}`), /missing_token/);
  const run = "TOKEN=$(node --env-file=.dev.vars token.ts) node client.ts";
  const printed = await type(run, `${run} ${wrangler.url}`);
  assert.deepEqual(printed.trimEnd().split("\n"), said(firstFiles.get("client.ts") ?? ""));
});

test("the Worker can be deployed", async () => {
  await type(
    "npx wrangler secret put SILLOK_SECRET",
    "npx wrangler secret put SILLOK_SECRET --help",
  );
  await type("npx wrangler deploy", "npx wrangler deploy --dry-run");
  assert.deepEqual([...new Set(ran)], commands);
});
