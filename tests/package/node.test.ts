// The package in Node.

import assert from "node:assert/strict";
import { test } from "node:test";

import { behaviours } from "./behaviour.ts";
import { keepsContract } from "./contract.ts";
import { useScratch } from "./scratch.ts";
import { AS_COMMONJS, AS_MODULE, PRINTS } from "./tutorial-program.ts";

const scratch = useScratch();

test("stores in memory keep the contract", async (t) => {
  const { EventStore } = await scratch.sillok();
  await keepsContract(t, scratch, () => new EventStore());
});

for (const [name, run] of Object.entries(behaviours)) {
  test(name, async () => run(await scratch.sillok()));
}

test("the tutorial's program prints its two events, with import", async () => {
  await scratch.write("tutorial.js", AS_MODULE);
  assert.deepEqual(await scratch.lines("tutorial.js"), PRINTS);
});

test("the tutorial's program prints its two events, with require", async () => {
  for (const [file, text] of Object.entries(AS_COMMONJS)) await scratch.write(file, text);
  const { stdout, stderr } = await scratch.run(process.execPath, [scratch.at("index.cjs")]);
  assert.deepEqual(stdout.trimEnd().split("\n"), PRINTS);
  assert.equal(stderr, "", "and nothing warns");
});

test("import and require give the same classes", async () => {
  const program = `
    import * as imported from "sillok";
    import { createRequire } from "node:module";
    const required = createRequire(import.meta.url)("sillok");
    console.log(Object.keys(imported).every((name) => imported[name] === required[name]));
    console.log(createRequire(import.meta.url)("sillok/package.json").name);
  `;
  await scratch.write("same.js", program);
  assert.deepEqual(await scratch.lines("same.js"), ["true", "sillok"]);
});

test("the package exports what it says, and nothing else", async () => {
  const names = Object.keys(await scratch.sillok());
  const classes = ["Client", "EventGateway", "EventHandler", "EventStore", "SillokError"];
  const functions = [
    "aggregate",
    "cancel",
    "connect",
    "isCommandRejected",
    "isSillokError",
    "isWrongExpectedVersion",
    "mintToken",
    "process",
    "projection",
    "queue",
    "reactor",
    "reject",
    "schedule",
    "send",
    "verifyCommits",
    "verifyWebhook",
    "webhook",
  ];
  assert.deepEqual(names, [...classes, ...functions]);
  const testing = ["answer", "event", "given", "laws", "memoryApp", "redeliver", "storeContract"];
  assert.deepEqual(Object.keys(await scratch.testing()), testing);
});

test("the classes have their names", async () => {
  const { EventStore, EventHandler, EventGateway } = await scratch.sillok();
  const names = [EventStore, EventHandler, EventGateway].map(({ name }) => name);
  assert.deepEqual(names, ["EventStore", "EventHandler", "EventGateway"]);
});

test("an error of another copy of the package is recognised", async () => {
  const { isSillokError, isWrongExpectedVersion } = await scratch.sillok();
  const other = Object.assign(new Error("x"), {
    name: "SillokError",
    code: "wrong_expected_version",
  });
  assert.ok(isSillokError(other) && isWrongExpectedVersion(other));
});

test("values from another context are taken as what they are", async () => {
  const { runInNewContext } = await import("node:vm");
  const { EventStore } = await scratch.sillok();
  const store = new EventStore();
  const event = runInNewContext('({ aggregateId: "1", at: new Date(0), list: [{}] })');
  store.saveEvent(event);
  assert.deepEqual(store.findEventsByAggregateId("1"), [
    { aggregateId: "1", at: new Date(0), list: [{}] },
  ]);
  assert.throws(() => store.saveEvent(runInNewContext('({ aggregateId: "1", m: new Map() })')), {
    code: "invalid_event",
    field: "m",
  });
});

test("a server that is bundled into one file runs by itself", async () => {
  await scratch.write("server.js", AS_MODULE);
  const outfile = scratch.at("bundled/server.mjs");
  const args = ["server.js", "--bundle", "--platform=node", "--format=esm", `--outfile=${outfile}`];
  const { code, stderr } = await scratch.run("esbuild", [...args, "--log-level=warning"]);
  assert.equal(code, 0, stderr);
  assert.equal(stderr, "");
  assert.deepEqual(await scratch.lines("bundled/server.mjs"), PRINTS);
});

test("importing the package without using it leaves nothing in a bundle", async () => {
  await scratch.write("unused.js", 'import { EventStore } from "sillok";\nconsole.log(1);\n');
  const { stdout } = await scratch.run("esbuild", ["unused.js", "--bundle", "--format=esm"]);
  assert.ok(stdout.length < 100, stdout.slice(0, 200));
});

test("where random numbers are refused, an append is, and works once they are given", async () => {
  const program = `
    import { EventStore } from "sillok";
    const { getRandomValues } = Crypto.prototype;
    Crypto.prototype.getRandomValues = () => { throw new Error("not here"); };
    const store = new EventStore();
    for (let time = 0; time < 2; time += 1) {
      console.log(await store.append("s", { type: "A" }).catch((error) => error.message));
      try { store.saveEvent({ aggregateId: 1 }); } catch (error) { console.log(error.message); }
    }
    Crypto.prototype.getRandomValues = getRandomValues;
    console.log((await store.append("s", { type: "A" })).version);
  `;
  await scratch.write("random.js", program);
  const refused = Array<string>(4).fill("not here");
  assert.deepEqual(await scratch.lines("random.js"), [...refused, "1"]);
});

const UNCAUGHT: Record<string, [code: string, line: number, program: string]> = {
  "a conflict": [
    "wrong_expected_version",
    2,
    `import { EventStore } from "sillok";
    await new EventStore().append("s", { type: "A" }, { expectedVersion: 7 });`,
  ],
  "a refused event": [
    "invalid_event",
    2,
    `import { EventStore } from "sillok";
    new EventStore().saveEvent({ aggregateId: 1, wrong: NaN });`,
  ],
  "an error of a decider": [
    "decider_failed",
    3,
    `import { aggregate, EventStore } from "sillok";
    const decide = () => {
      throw new Error("no");
    };
    const account = aggregate("account", { initialState: () => 0, evolve: (state) => state, decide });
    await new EventStore().execute("account-1", { type: "Open" }, account);`,
  ],
};

for (const [what, [code, line, program]] of Object.entries(UNCAUGHT)) {
  for (const flags of [[], ["--enable-source-maps"]]) {
    test(`${what} that nobody catches prints its code and the line of the program ${flags.join()}`, async () => {
      await scratch.write("uncaught.mjs", program);
      const at = scratch.at("uncaught.mjs");
      const { code: exit, stderr } = await scratch.run(process.execPath, [...flags, at]);
      assert.notEqual(exit, 0);
      assert.ok(stderr.includes(`code: '${code}'`), stderr);
      assert.match(stderr, /SillokError: .+\n/);
      assert.ok(stderr.includes(`uncaught.mjs:${line}:`), stderr);
      assert.ok(stderr.length < 4096, `${stderr.length} characters:\n${stderr}`);
    });
  }
}

test("an error of the package leaves the length of stacks as it was", async () => {
  const program = `import { EventStore } from "sillok";
    for (const limit of [10, 3, 100]) {
      Error.stackTraceLimit = limit;
      const refused = await new EventStore().append("", { type: "A" }).catch((error) => error);
      console.log(Error.stackTraceLimit === limit, refused.code);
    }
    Object.freeze(Error);
    console.log((await new EventStore().append("", { type: "A" }).catch((error) => error)).code);`;
  await scratch.write("limits.mjs", program);
  const refused = Array<string>(3).fill("true invalid_stream_id");
  assert.deepEqual(await scratch.lines("limits.mjs"), [...refused, "invalid_stream_id"]);
});
