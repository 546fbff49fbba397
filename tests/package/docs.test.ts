// Checks and runs every example in the README, and in the documentation of the types.

import assert from "node:assert/strict";
import { readdir, readFile } from "node:fs/promises";
import { after, test } from "node:test";

import { said } from "../docs/printed.ts";
import { type Server, startServer } from "../support/server.ts";
import { useScratch } from "./scratch.ts";

const PACKAGE = "node_modules/sillok";
/** The lowest possible number. Fewer examples mean that the search for them is broken. */
const LEAST_EXAMPLES = 26;
/** The URL in the examples. A server of the tests takes its place. */
const DEPLOYED = "https://sillok.example.workers.dev";

const examples = new Map<string, string>();

let server: Server | undefined;
after(() => server?.stop());

const scratch = useScratch(async (scratch) => {
  await scratch.link("react", "react-dom", "scheduler", "@types/react", "@types/react-dom");
  server = await startServer();
  const { origin } = server.url;
  const files = ["README.md", ...(await typeFiles())];
  for (const file of files) {
    const text = await readFile(scratch.at(`${PACKAGE}/${file}`), "utf8");
    const blocks = text.replaceAll(/^ *\* ?/gm, "").matchAll(/^```ts\n(.*?)^```$/gms);
    for (const [place, [, code]] of [...blocks].entries()) {
      const name = `${file.replaceAll(/\W+/g, "-")}-${place + 1}.ts`;
      examples.set(name, code ?? "");
      await scratch.write(`examples/${name}`, (code ?? "").replaceAll(DEPLOYED, origin));
    }
  }
});

async function typeFiles(): Promise<string[]> {
  const files = await readdir(scratch.at(`${PACKAGE}/dist/types`), { recursive: true });
  return files.filter((name) => name.endsWith(".ts")).map((name) => `dist/types/${name}`);
}

/** The examples that run in Node. A Worker runs in workerd: composed.test.ts. */
function programs(): [string, string][] {
  return [...examples].filter(([, code]) => !code.includes('from "sillok/worker"'));
}

test("there are examples, and each says what it prints", () => {
  assert.ok(examples.size >= LEAST_EXAMPLES, `${examples.size} examples`);
  for (const [name, code] of programs()) assert.notDeepEqual(said(code), [], name);
});

test("the examples have no type errors", async () => {
  const options = {
    strict: true,
    exactOptionalPropertyTypes: true,
    noImplicitOverride: true,
    noUncheckedIndexedAccess: true,
    module: "nodenext",
    target: "es2022",
    lib: ["es2022", "dom"],
    types: [],
    noEmit: true,
  };
  await scratch.write(
    "tsconfig.json",
    JSON.stringify({ compilerOptions: options, include: ["examples"] }),
  );
  const { code, stdout } = await scratch.run("tsc", ["--project", "tsconfig.json"]);
  assert.equal(code, 0, stdout);
});

test("the examples print what they say", async () => {
  for (const [name, code] of programs()) {
    assert.deepEqual(await scratch.lines(`examples/${name}`), said(code), name);
  }
});

test("everything that is exported is documented", async () => {
  for (const file of await typeFiles()) {
    const text = await readFile(scratch.at(`${PACKAGE}/${file}`), "utf8");
    const bare = text.matchAll(
      /(?<!\*\/\n)^export (?:declare |default )*(?:class|function|interface|type|const) \w+/gm,
    );
    assert.deepEqual(
      [...bare].map(([line]) => line),
      [],
      file,
    );
  }
});
