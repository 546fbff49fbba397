// Follows docs/tutorial.md literally, in an empty folder, with the packed package.
import assert from "node:assert/strict";
import { execFile } from "node:child_process";
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { after, before, test } from "node:test";
import { fileURLToPath } from "node:url";
import { promisify } from "node:util";
import { freePort } from "./dev-server.ts";
import { commands, fenced, root, savedFiles } from "./fenced.ts";
import { WranglerDev } from "./wrangler-dev.ts";

const DOCUMENT = "docs/tutorial.md";
const shown = commands(DOCUMENT);
const files = savedFiles(readFileSync(new URL(DOCUMENT, root), "utf8"));
const answers = fenced(DOCUMENT, "text");
/** The commands that this test has run. */
const ran: string[] = [];

const folder = mkdtempSync(join(tmpdir(), "sillok-tutorial-"));
const data = mkdtempSync(join(tmpdir(), "sillok-tutorial-data-"));
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

/** Runs a command of the tutorial in the folder, as changed by the test, and returns what it prints. */
async function type(command: string, changed = command): Promise<string> {
  assert.ok(shown.includes(command), `the tutorial shows ${command}`);
  ran.push(command);
  const { stdout } = await promisify(execFile)("sh", ["-c", changed], { cwd: folder, env });
  return stdout;
}

/** Saves files of the tutorial. */
function save(...names: string[]): void {
  for (const name of names) writeFileSync(join(folder, name), files.get(name) ?? assert.fail(name));
}

// The other packages are those of this project, so that the test needs no network.
const FLAGS = "--no-audit --no-fund --offline";

test("the rules are tested", async () => {
  const tarball = process.env.SILLOK_TARBALL;
  assert.ok(tarball, "SILLOK_TARBALL names the packed package");
  await type("npm init --yes");
  await type("npm pkg set type=module");
  await type("npm install sillok zod", `npm install ${FLAGS} ${tarball} ${installed("zod")}`);
  save("account.ts", "account.test.ts");
  assert.match(await type("node --test"), /^. pass 3$[^]*^. fail 0$/m);
});

test("the program and the list print what the tutorial says", async () => {
  save("bank.ts");
  const printed = [await type("node bank.ts"), await type("node bank.ts")].join("");
  assert.equal(printed, answers[0]);
  save("balances.ts", "list.ts");
  assert.equal(await type("node list.ts"), answers[1]);
});

test("transfers are tested", async () => {
  save("transfer.ts", "transfer.test.ts");
  assert.match(await type("node --test"), /^. pass 5$[^]*^. fail 0$/m);
});

test("all files have the right types", async () => {
  save("worker.ts", "wrangler.toml");
  assert.equal(files.size, 9);
  const options = {
    module: "nodenext",
    target: "esnext",
    lib: ["esnext", "dom"],
    types: ["node"],
    typeRoots: [installed("@types")],
    strict: true,
    allowImportingTsExtensions: true,
    verbatimModuleSyntax: true,
    erasableSyntaxOnly: true,
    noEmit: true,
  };
  writeFileSync(join(folder, "tsconfig.json"), JSON.stringify({ compilerOptions: options }));
  await promisify(execFile)(installed(".bin/tsc"), ["--project", folder]);
});

test("the Worker transfers money", async () => {
  await type(
    "npm install --save-dev wrangler",
    `npm install ${FLAGS} --save-dev ${installed("wrangler")}`,
  );
  const start = "npx wrangler dev --var SILLOK_AUTH:off";
  assert.ok(shown.includes(start));
  ran.push(start);
  wrangler = new WranglerDev(start, await freePort(), data, folder);
  await wrangler.ready();
  const curls = shown.filter((command) => command.startsWith("curl "));
  const send = (curl = "") =>
    type(curl, curl.replace("http://127.0.0.1:8787", wrangler.url).replace("curl", "curl -s"));
  for (const curl of curls.slice(0, -1)) {
    assert.match(await send(curl), /"replayed":false/);
  }
  let documents = "";
  while (!documents.includes('"cents":60')) documents = await send(curls.at(-1));
  assert.equal(documents, answers[2]?.trimEnd());
});

test("every command of the tutorial was run", () => {
  assert.deepEqual([...new Set(ran)].toSorted(), [...new Set(shown)].toSorted());
});
