// Runs the JavaScript of the README and of the guides unchanged, in a project that has installed the package.
import assert from "node:assert/strict";
import { execFile, execFileSync } from "node:child_process";
import { mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { after, before, test } from "node:test";
import { fileURLToPath } from "node:url";
import { promisify } from "node:util";
import { type Server, startServer } from "../support/server.ts";
import { fenced, firstFiles, root } from "./fenced.ts";
import { said } from "./printed.ts";

const EXPECTED = [
  "false insufficient_funds\n{ state: { cents: 100 }, version: 1 }\n",
  "1 1 false\n2 1 true\ntrue\n",
  "the stream is at version 2\n2 Deposited { amount: 100 }\n1 Opened {}\n",
  "Opened { owner: 'Ada' }\nDeposited { amount: 100 }\n",
];

/** The URL in the examples. A server of the tests takes its place. */
const DEPLOYED = "https://sillok.example.workers.dev";

let server: Server;
const project = mkdtempSync(join(tmpdir(), "sillok-readme-"));

before(async () => {
  server = await startServer();
  writeFileSync(join(project, "package.json"), '{"private":true,"type":"module"}');
  const tarball = process.env.SILLOK_TARBALL;
  assert.ok(tarball, "SILLOK_TARBALL names the packed package");
  // A user types `npm install sillok`. The test installs the tarball that was just packed. Some guides also need zod.
  const zod = fileURLToPath(new URL("node_modules/zod", root));
  execFileSync("npm", ["install", "--no-audit", "--no-fund", tarball, zod], { cwd: project });
});
after(async () => {
  rmSync(project, { recursive: true });
  await server.stop();
});

const examples = fenced("README.md", "js");

test("the README has as many examples as are expected here", () => {
  assert.equal(examples.length, EXPECTED.length);
});

/** Runs a program in a folder of its own in the project, and returns its output. */
async function printed(example: string): Promise<string> {
  const cwd = mkdtempSync(join(project, "example-"));
  const file = join(cwd, "example.js");
  writeFileSync(file, example.replaceAll(DEPLOYED, server.url.origin));
  const flags = ["--disable-warning=ExperimentalWarning"];
  const { stdout } = await promisify(execFile)(process.execPath, [...flags, file], { cwd });
  return stdout;
}

for (const [place, example] of examples.entries()) {
  test(`example ${place + 1} of the README prints what it should`, async () => {
    assert.equal(await printed(example), EXPECTED[place]);
  });
}

// The quick start shows no program: `npm create sillok` writes it, and tests/create runs it.
const guides = readdirSync(new URL("docs/guides/", root))
  .filter((guide) => guide !== "quick-start.md")
  .map((guide) => `docs/guides/${guide}`);

for (const document of [...guides, "docs/ideas.md"]) {
  test(`the examples of ${document} print what they say`, async () => {
    const examples = fenced(document, "js");
    assert.ok(examples.length > 0);
    for (const example of examples) {
      const lines = said(example);
      assert.ok(lines.length > 0, "an example says what it prints");
      assert.deepEqual((await printed(example)).trimEnd().split("\n"), lines, example);
    }
  });
}

/** The sources of the guides' excerpts. A test runs each of these files, or a file that contains it. */
const SOURCES = [
  "Cargo.toml",
  "examples/bank/account.test.ts",
  "examples/bank/account.ts",
  "examples/bank/balances.ts",
  "examples/bank/client.ts",
  "examples/bank/wrangler.toml",
  "examples/delays-rust/entry.js",
  "examples/delays-rust/src/lib.rs",
  "examples/delays/worker.ts",
  "examples/d1-read-model/worker.ts",
  "js/create/templates/app/src/worker.ts",
  "examples/d1-read-model/wrangler.toml",
  "examples/d1-read-model/migrations/0001_routes.sql",
  "tests/commands/account.rs",
  "tests/commands/kit.rs",
  "tests/http/read-model.test.ts",
  "tests/package/react-page.tsx",
];

test("the guides' excerpts of the examples are the examples' text", () => {
  // Indentation and line breaks do not matter.
  const plain = (text: string) => text.replaceAll(/\s+/g, " ").trim();
  const texts = SOURCES.map((path) => readFileSync(new URL(path, root), "utf8"));
  // The Worker of the guide is smaller than the one of the example.
  const saved = ["worker.ts", "token.ts"].map((name) => firstFiles.get(name) ?? "");
  const sources = [...texts, ...saved].map(plain);
  const excerpts = guides.flatMap((guide) =>
    ["rust", "ts", "tsx", "sql", "toml"].flatMap((language) => fenced(guide, language)),
  );
  const strange = excerpts.filter((text) => !sources.some((known) => known.includes(plain(text))));
  assert.deepEqual(strange, []);
  assert.ok(excerpts.length >= 20, `${excerpts.length} excerpts`);
});
