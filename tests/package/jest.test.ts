// The package in Jest, as its README says.

import assert from "node:assert/strict";
import { readFile } from "node:fs/promises";
import { test } from "node:test";

import { useScratch } from "./scratch.ts";

const scratch = useScratch();

test("the example of the README runs in Jest", async () => {
  const text = await readFile(scratch.at("node_modules/sillok/README.md"), "utf8");
  const [example, ...others] = [...text.matchAll(/^```js\n(.*?)^```$/gms)].map(([, code]) => code);
  assert.ok(example !== undefined && others.length === 0, "there is one, in JavaScript");
  await scratch.write("account.test.js", example);
  // Its warnings say that vm modules are an experiment.
  const { code, stderr } = await scratch.run("env", [
    "NODE_OPTIONS=--experimental-vm-modules",
    "jest",
    "--no-cache",
  ]);
  assert.equal(code, 0, stderr);
  assert.match(stderr, /^Tests: +1 passed, 1 total$/m);
});
