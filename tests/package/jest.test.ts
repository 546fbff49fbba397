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

/** A test that fails, for any runner with `test`. */
const FAILING = `
import { aggregate } from "sillok";
import { given } from "sillok/testing";

const counter = aggregate("counter", {
  initialState: () => 0,
  decide: ({ data }) => ({ type: "Counted", data }),
  evolve: (state, { data }) => state + data.by,
});
test("counts", () => {
  given(counter, [{ type: "Counted", data: { by: 1 } }]).when({ type: "Count", data: { by: 2 } }).thenState(3);
});
test("fails", () =>
  given(counter).when({ type: "Count", data: { by: 2 } }).then({ type: "Counted", data: { by: 3 } }));
`;

test("a failed expectation of an aggregate shows its difference in Jest", async () => {
  await scratch.write("counter.test.js", FAILING);
  const args = ["NODE_OPTIONS=--experimental-vm-modules", "jest", "--no-cache", "counter"];
  const { code, stderr } = await scratch.run("env", args);
  assert.equal(code, 1, stderr);
  assert.match(stderr, /^Tests: +1 failed, 1 passed, 2 total$/m);
  assert.match(stderr, /the decision differs from the expected one at `events\[0\]\.data\.by`/);
  assert.match(stderr, /- +by: 3,\n\s*\+ +by: 2,/);
});

test("a failed expectation of an aggregate shows its difference in Node's runner", async () => {
  await scratch.write("counter.node.js", `import { test } from "node:test";${FAILING}`);
  const { code, stdout } = await scratch.run(process.execPath, [
    "--test",
    scratch.at("counter.node.js"),
  ]);
  assert.equal(code, 1, stdout);
  assert.match(stdout, /the decision differs from the expected one at `events\[0\]\.data\.by`/);
  assert.match(stdout, /- +by: 3,\n\s*\+ +by: 2,/);
});
