// Follows docs/tutorial.md literally, in an empty folder, with the packed package.
import assert from "node:assert/strict";
import { execFile } from "node:child_process";
import { readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { test } from "node:test";
import { promisify } from "node:util";
import { commands, fenced, root, savedFiles } from "./fenced.ts";
import { installed, Reader } from "./reader.ts";

const DOCUMENT = "docs/tutorial.md";
const shown = commands(DOCUMENT);
const files = savedFiles(readFileSync(new URL(DOCUMENT, root), "utf8"));
const answers = fenced(DOCUMENT, "text");
const reader = new Reader(shown);

/** Saves files of the tutorial. */
function save(...names: string[]): void {
  for (const name of names)
    writeFileSync(join(reader.folder, name), files.get(name) ?? assert.fail(name));
}

// The other packages are those of this project, so that the test needs no network.
const FLAGS = "--no-audit --no-fund --offline";

test("the rules are tested", async () => {
  const tarball = process.env.SILLOK_TARBALL;
  assert.ok(tarball, "SILLOK_TARBALL names the packed package");
  await reader.type("npm init --yes");
  await reader.type("npm pkg set type=module");
  await reader.type(
    "npm install sillok zod",
    `npm install ${FLAGS} ${tarball} ${installed("zod")}`,
  );
  save("account.ts", "account.test.ts");
  assert.match(await reader.type("node --test"), /^. pass 3$[^]*^. fail 0$/m);
});

test("the program and the list print what the tutorial says", async () => {
  save("bank.ts");
  const printed = [await reader.type("node bank.ts"), await reader.type("node bank.ts")].join("");
  assert.equal(printed, answers[0]);
  save("balances.ts", "list.ts");
  assert.equal(await reader.type("node list.ts"), answers[1]);
});

test("transfers are tested", async () => {
  save("transfer.ts", "transfer.test.ts");
  assert.match(await reader.type("node --test"), /^. pass 5$[^]*^. fail 0$/m);
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
  writeFileSync(join(reader.folder, "tsconfig.json"), JSON.stringify({ compilerOptions: options }));
  await promisify(execFile)(installed(".bin/tsc"), ["--project", reader.folder]);
});

test("the Worker transfers money", async () => {
  await reader.type(
    "npm install --save-dev wrangler",
    `npm install ${FLAGS} --save-dev ${installed("wrangler")}`,
  );
  const url = await reader.start("npx wrangler dev --var SILLOK_AUTH:off");
  const curls = shown.filter((command) => command.startsWith("curl "));
  const send = (curl = "") =>
    reader.type(curl, curl.replace("http://127.0.0.1:8787", url).replace("curl", "curl -s"));
  for (const curl of curls.slice(0, -1)) {
    assert.match(await send(curl), /"replayed":false/);
  }
  let documents = "";
  while (!documents.includes('"cents":60')) documents = await send(curls.at(-1));
  assert.equal(documents, answers[2]?.trimEnd());
});

test("every command of the tutorial was run", () => {
  assert.deepEqual([...new Set(reader.typed)].toSorted(), [...new Set(shown)].toSorted());
});
