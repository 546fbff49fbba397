// The JavaScript of the README, run as it stands in a project that has installed the package.
import assert from "node:assert/strict";
import { execFileSync } from "node:child_process";
import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { after, before, test } from "node:test";
import { fenced } from "./fenced.ts";

const EXPECTED = [
  "Opened { owner: 'Ada' }\nDeposited { amount: 100 }\n",
  "the stream is at version 2\n2 Deposited { amount: 100 }\n1 Opened {}\n",
];

const project = mkdtempSync(join(tmpdir(), "sillok-readme-"));

before(() => {
  writeFileSync(join(project, "package.json"), '{"private":true,"type":"module"}');
  const tarball = process.env.SILLOK_TARBALL;
  assert.ok(tarball, "SILLOK_TARBALL names the packed package");
  // What a user types is `npm install sillok`; the package that is tested is the one just packed.
  execFileSync("npm", ["install", "--no-audit", "--no-fund", tarball], { cwd: project });
});
after(() => rmSync(project, { recursive: true }));

const examples = fenced("README.md", "js");

test("the README has as many examples as are expected here", () => {
  assert.equal(examples.length, EXPECTED.length);
});

for (const [place, example] of examples.entries()) {
  test(`example ${place + 1} of the README prints what it should`, () => {
    const file = join(project, `example-${place}.js`);
    writeFileSync(file, example);
    const printed = execFileSync(process.execPath, [file], { cwd: project, encoding: "utf8" });
    assert.equal(printed, EXPECTED[place]);
  });
}
