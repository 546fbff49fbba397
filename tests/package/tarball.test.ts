// The content of the tarball.

import assert from "node:assert/strict";
import { readdir, readFile } from "node:fs/promises";
import { dirname, join } from "node:path";
import { test } from "node:test";
import { gzipSync } from "node:zlib";

import { build } from "esbuild";
import { publint } from "publint";

import { ROOT, TARBALL, useScratch } from "./scratch.ts";

/** The largest size of the engine: 150 KiB, and 1 KiB for the paths of another machine, which are in it. */
const WASM_GZIP_BYTES = 151 * 1024;
/** The largest size of the Worker: its wasm, with the HTTP layer, its description and the objects, and its code. */
const WORKER_GZIP_BYTES = 384 * 1024;
/** The largest size of the Worker's code, minified as wrangler does it. */
const WORKER_CODE_GZIP_BYTES = 37 * 1024;
/** What a page imports, and the largest size of it in KiB, gzip, minified by its bundler. React is not counted. */
const IN_A_PAGE: readonly (readonly [imports: string, kibibytes: number])[] = [
  [
    'import { connect } from "sillok/client"; globalThis.own = connect("https://sillok.example");',
    12,
  ],
  ['import * as own from "sillok/react"; globalThis.own = own;', 3],
  ['import { connect } from "sillok"; globalThis.own = connect("https://sillok.example");', 12],
  ['import { EventStore } from "sillok"; globalThis.own = new EventStore();', 224],
  ['import { memoryApp } from "sillok/testing"; globalThis.own = memoryApp;', 230],
];
/** The largest size of `sillok/rust`, minified. Its engine is the user's. */
const RUST_GZIP_BYTES = 28 * 1024;
/** The largest size of the source maps, with the sources in them, and of the console, whose engine is one file. */
const [MAPS_BYTES, CONSOLE_BYTES] = [285 * 1024, 253 * 1024];
/**
 * The largest size of the tarball: the wasm twice, the second time as base64, which is a third larger, the Worker, 208 KiB, the
 * maps and the console.
 */
const TARBALL_BYTES =
  Math.ceil(WASM_GZIP_BYTES * (1 + 4 / 3)) +
  WORKER_GZIP_BYTES +
  208 * 1024 +
  MAPS_BYTES +
  CONSOLE_BYTES;

const scratch = useScratch();

async function installed(path: string): Promise<Buffer> {
  return readFile(scratch.at(join("node_modules/sillok", path)));
}

test("it holds what is needed, and nothing else", async () => {
  const { stdout } = await scratch.run("tar", ["--list", "--gzip", "--file", TARBALL]);
  const types = [
    "aggregate/aggregate-store",
    "aggregate/aggregate",
    "aggregate/events",
    "aggregate/pending",
    "aggregate/process-rules",
    "aggregate/reject",
    "aggregate/schema",
    "aggregate/types",
    "client/aggregate-client",
    "client/app",
    "client/client",
    "client/consumer-client",
    "client/document-changes",
    "client/documents-client",
    "client/index",
    "client/name-of",
    "consumer/app-failure",
    "consumer/definition",
    "consumer/handles",
    "consumer/process-types",
    "consumer/process",
    "consumer/projection",
    "consumer/queue",
    "consumer/reactor",
    "consumer/webhook",
    "definitions",
    "deployment/mint-token",
    "deployment/verify-webhook",
    "entrypoints/engine",
    "gateway/event-gateway",
    "gateway/event-handler",
    "gateway/gateway-options",
    "index",
    "local/event-store",
    "local/verify-commits",
    "react/context",
    "react/index",
    "react/use-command",
    "react/use-documents",
    "react/use-stream",
    "remote/aggregate-store",
    "remote/event-store",
    "store/errors",
    "store/events",
    "store/options",
    "store/pending",
    "store/store",
    "testing/given",
    "testing/history",
    "testing/index",
    "testing/inputs",
    "testing/laws",
    "testing/program",
    "testing/memory-app",
    "testing/redeliver",
    "worker/app",
    "worker/engine",
    "worker/index",
    "worker/rust",
  ];
  const files = stdout.trimEnd().split("\n");
  const isShared = (file: string) =>
    /^package\/dist\/chunks\/[A-Z0-9]{8}\.js(?:\.map)?$/.test(file);
  assert.ok(files.filter(isShared).length < 60, "the entries share few files");
  const console = (await readdir(join(ROOT, "www"))).filter((name) => name !== "sillok");
  const entries = [
    "client",
    "definitions",
    "engine",
    "inlined",
    "react",
    "rust",
    "testing",
    "worker-node",
    "worker",
    "workerd",
  ];
  const others = files.filter((file) => !isShared(file));
  assert.deepEqual(
    others.toSorted(),
    [
      "package/LICENSE-APACHE",
      "package/LICENSE-MIT",
      "package/README.md",
      "package/dist/base64.js",
      ...[...console, "sillok/sillok.js"].map((name) => `package/dist/console/${name}`),
      ...entries.flatMap((name) => [`package/dist/${name}.js`, `package/dist/${name}.js.map`]),
      "package/dist/sillok.js",
      "package/dist/sillok.wasm",
      ...types.map((name) => `package/dist/types/${name}.d.ts`),
      "package/dist/worker.wasm",
      "package/package.json",
    ].toSorted(),
  );
});

test("every file of its types that another one imports is there", async () => {
  // A missing file would not be an error for users who skip the check of libraries: its types would be `any`.
  const folder = scratch.at("node_modules/sillok/dist/types");
  const files = (await readdir(folder, { recursive: true })).filter((name) => name.endsWith(".ts"));
  for (const file of files) {
    const text = await readFile(join(folder, file), "utf8");
    for (const [, path = ""] of text.matchAll(/(?:from|import\() ?"(\.[^"]*)\.js"/g)) {
      // The module that a Worker in Rust builds, in an example of a comment.
      if (path === "./build/index") continue;
      const imported = join(dirname(file), `${path}.d.ts`);
      assert.ok(files.includes(imported), `${file} imports ${imported}`);
    }
  }
});

test("publint has nothing to say", async () => {
  const file = await readFile(TARBALL);
  const bytes = file.buffer.slice(file.byteOffset, file.byteOffset + file.byteLength);
  const { messages } = await publint({ pack: { tarball: bytes as ArrayBuffer }, strict: true });
  assert.deepEqual(messages, []);
});

test("the wasm and the tarball stay within their budgets", async () => {
  const wasm = gzipSync(await installed("dist/sillok.wasm")).length;
  assert.ok(wasm <= WASM_GZIP_BYTES, `the wasm is ${wasm} bytes, gzip`);
  const packed = (await readFile(TARBALL)).length;
  assert.ok(packed <= TARBALL_BYTES, `the tarball is ${packed} bytes`);
});

/** A module of the package with everything that it imports, minified. */
async function whole(entry: string): Promise<string> {
  const { outputFiles } = await build({
    entryPoints: [scratch.at(`node_modules/sillok/dist/${entry}.js`)],
    bundle: true,
    external: ["*.wasm", "cloudflare:workers", "sillok"],
    format: "esm",
    minify: true,
    write: false,
  });
  return outputFiles[0]?.text ?? "";
}

function importsOf(code: string): string[] {
  return [...code.matchAll(/\b(?:from|import) ?"([.\w][^"]*)"/g)].map(([, name = ""]) => name);
}

test("the Worker stays within its budgets", async () => {
  const wasm = gzipSync(await installed("dist/worker.wasm")).length;
  const code = gzipSync(await whole("worker")).length;
  assert.ok(code <= WORKER_CODE_GZIP_BYTES, `its code is ${code} bytes, gzip`);
  assert.ok(wasm + code <= WORKER_GZIP_BYTES, `its wasm is ${wasm} bytes, its code ${code}, gzip`);
  const rust = gzipSync(await whole("rust")).length;
  assert.ok(rust <= RUST_GZIP_BYTES, `without an engine it is ${rust} bytes, gzip`);
});

test("what tests use takes the engine of the program, and has no other one", async () => {
  const testing = await whole("testing");
  assert.deepEqual(new Set(importsOf(testing)), new Set(["sillok"]));
  assert.doesNotMatch(testing, /WebAssembly|require|import\(/);
});

test("the maps and the console stay within their budgets", async () => {
  const sizeOf = async (args: string[]) => {
    const { stdout } = await scratch.run("sh", [
      "-c",
      `tar -cz -C node_modules/sillok/dist ${args.join(" ")} . | wc -c`,
    ]);
    return Number(stdout);
  };
  const all = await sizeOf([]);
  const maps = all - (await sizeOf(["--exclude='*.map'"]));
  assert.ok(maps <= MAPS_BYTES, `the maps are ${maps} bytes, gzip`);
  const console = all - (await sizeOf(["--exclude=./console"]));
  assert.ok(console <= CONSOLE_BYTES, `the console is ${console} bytes, gzip`);
});

test("a Worker that uses no store of the package carries no second engine", async () => {
  const bundled = async (code: string) => {
    await scratch.write("rules.js", code);
    const { outputFiles } = await build({
      entryPoints: [scratch.at("rules.js")],
      bundle: true,
      conditions: ["workerd"],
      external: ["*.wasm"],
      format: "esm",
      write: false,
    });
    return outputFiles[0]?.text ?? "";
  };
  const names = "aggregate, connect, isCommandRejected, projection, reactor, reject, SillokError";
  const rules = `import { ${names} } from "sillok"; export default [${names}];`;
  assert.doesNotMatch(await bundled(rules), /sillok\.wasm/);
  const store =
    'import "sillok/engine"; import { EventStore } from "sillok"; export default new EventStore();';
  assert.match(await bundled(store), /sillok\.wasm/);
});

for (const [imports, kibibytes] of IN_A_PAGE) {
  test(`a page stays small: ${imports.split(";")[0]}`, async () => {
    await scratch.write("page.js", imports);
    const { outputFiles } = await build({
      entryPoints: [scratch.at("page.js")],
      bundle: true,
      external: ["react"],
      minify: true,
      format: "esm",
      write: false,
    });
    const code = outputFiles[0]?.text ?? "";
    const bytes = gzipSync(code).length;
    assert.ok(bytes <= kibibytes * 1024, `it is ${bytes} bytes, gzip`);
    const hasEngine = /WebAssembly/.test(code);
    assert.equal(hasEngine, kibibytes > 100, "only a store in the page needs an engine");
  });
}

test("an error of one entry is recognised by the guards of every other", async () => {
  const program = `
    import assert from "node:assert/strict";
    import * as all from "sillok";
    import * as client from "sillok/client";
    for (const [made, asked] of [[all, client], [client, all]]) {
      assert.equal(made.SillokError, asked.SillokError);
      const error = new made.SillokError({ code: "command_rejected", detail: "no", rejection: { code: "a" } });
      assert.ok(asked.isSillokError(error) && asked.isCommandRejected(error));
      assert.ok(!asked.isWrongExpectedVersion(error));
    }
  `;
  await scratch.write("entries.mjs", program);
  const { code, stderr } = await scratch.run(process.execPath, [scratch.at("entries.mjs")]);
  assert.equal(code, 0, stderr);
});

test("both builds carry the same wasm", async () => {
  const base64 = (await installed("dist/sillok.wasm")).toString("base64");
  // The text in this file is broken into lines.
  const code = String(await installed("dist/base64.js")).replaceAll("\\\n", "");
  assert.equal(code, `export default "${base64}";\n`);
});

test("no line of the code is long", async () => {
  const dist = scratch.at("node_modules/sillok/dist");
  const files = (await readdir(dist, { recursive: true })).filter((name) => name.endsWith(".js"));
  // The console is minified: only a browser loads it.
  for (const file of files.filter((name) => !name.startsWith("console/"))) {
    const code = await readFile(join(dist, file), "utf8");
    const longest = Math.max(...code.split("\n").map((line) => line.length));
    assert.ok(longest <= 1100, `${file} has a line of ${longest} characters`);
  }
});

test("the Worker takes its wasm from beside it, and nothing else but the platform's classes", async () => {
  const modules = new Set(importsOf(await whole("worker")));
  assert.deepEqual(modules, new Set(["cloudflare:workers", "./worker.wasm"]));
  const built = await readFile(join(ROOT, "worker/build/index_bg.wasm"));
  assert.ok(built.equals(await installed("dist/worker.wasm")), "it is the one that is deployed");
});

test("the entry for a Worker in Rust has no engine", async () => {
  const rust = await whole("rust");
  assert.deepEqual(importsOf(rust), ["cloudflare:workers"]);
  assert.doesNotMatch(rust, /WebAssembly\.(?:Instance|Module|compile|instantiate)/);
});

test("its version is Cargo's", async () => {
  const { version, dependencies } = JSON.parse(String(await installed("package.json")));
  const cargo = await readFile(join(ROOT, "Cargo.toml"), "utf8");
  assert.equal(version, /\[workspace\.package\]\nversion = "(.*)"/.exec(cargo)?.[1]);
  assert.equal(dependencies, undefined, "and it needs no other package");
});

test("its licences are the repository's", async () => {
  for (const name of ["LICENSE-MIT", "LICENSE-APACHE"]) {
    assert.deepEqual(await installed(name), await readFile(join(ROOT, name)));
  }
});
