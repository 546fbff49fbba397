// The content of the tarball.

import assert from "node:assert/strict";
import { readdir, readFile } from "node:fs/promises";
import { dirname, join } from "node:path";
import { test } from "node:test";
import { gzipSync } from "node:zlib";

import { build } from "esbuild";
import { publint } from "publint";

import { ROOT, TARBALL, useScratch } from "./scratch.ts";

/** The largest size of the engine: 141 KiB, and 1 KiB for the paths of another machine, which are in it. */
const WASM_GZIP_BYTES = 142 * 1024;
/** The largest size of the Worker: its wasm, with the HTTP layer and the objects, and its code. */
const WORKER_GZIP_BYTES = 361 * 1024;
/** The largest size of the Worker's code. */
const WORKER_CODE_GZIP_BYTES = 37 * 1024;
/** The largest size of `connect` of `sillok/client` in a page, minified by its bundler. */
const CLIENT_GZIP_BYTES = 12 * 1024;
/** The largest size of `sillok/rust`, whose engine is the user's. */
const RUST_GZIP_BYTES = 27 * 1024;
/**
 * The largest size of the tarball: the wasm twice, the second time as base64, which is a third larger, the Worker, and 208 KiB.
 */
const TARBALL_BYTES = Math.ceil(WASM_GZIP_BYTES * (1 + 4 / 3)) + WORKER_GZIP_BYTES + 208 * 1024;

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
    "consumer/definition",
    "consumer/handles",
    "consumer/process-types",
    "consumer/process",
    "consumer/projection",
    "consumer/reactor",
    "gateway/event-gateway",
    "gateway/event-handler",
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
    "testing/simulate",
    "worker/composition",
    "worker/engine",
    "worker/index",
    "worker/rust",
  ];
  assert.deepEqual(stdout.trimEnd().split("\n").toSorted(), [
    "package/LICENSE-APACHE",
    "package/LICENSE-MIT",
    "package/README.md",
    "package/dist/client.js",
    "package/dist/definitions.js",
    "package/dist/engine.js",
    "package/dist/react.js",
    "package/dist/rust.js",
    "package/dist/shared.js",
    "package/dist/sillok.js",
    "package/dist/sillok.wasm",
    "package/dist/testing.js",
    ...types.map((name) => `package/dist/types/${name}.d.ts`),
    "package/dist/worker.js",
    "package/dist/worker.wasm",
    "package/dist/workerd.js",
    "package/package.json",
  ]);
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

test("the Worker stays within its budgets", async () => {
  const wasm = gzipSync(await installed("dist/worker.wasm")).length;
  const code = gzipSync(await installed("dist/worker.js")).length;
  assert.ok(code <= WORKER_CODE_GZIP_BYTES, `its code is ${code} bytes, gzip`);
  assert.ok(wasm + code <= WORKER_GZIP_BYTES, `its wasm is ${wasm} bytes, its code ${code}, gzip`);
  const rust = gzipSync(await installed("dist/rust.js")).length;
  assert.ok(rust <= RUST_GZIP_BYTES, `without an engine it is ${rust} bytes, gzip`);
});

test("what tests use takes the engine of the program, and has no other one", async () => {
  const testing = String(await installed("dist/testing.js"));
  const imports = [...testing.matchAll(/\b(?:from|import) ?"([.\w][^"]*)"/g)].map(
    ([, module]) => module,
  );
  assert.deepEqual(imports, ["sillok"]);
  assert.doesNotMatch(testing, /WebAssembly|require|import\(/);
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
  const store = 'import { EventStore } from "sillok"; export default new EventStore();';
  assert.match(await bundled(store), /sillok\.wasm/);
});

test("the client in a page is small, and has no engine", async () => {
  await scratch.write(
    "page.js",
    'import { connect } from "sillok/client"; globalThis.bank = connect("https://sillok.example");',
  );
  const { outputFiles, metafile } = await build({
    entryPoints: [scratch.at("page.js")],
    bundle: true,
    minify: true,
    format: "esm",
    write: false,
    metafile: true,
  });
  const inputs = Object.keys(metafile.inputs).map((path) => path.replace(/.*node_modules\//, ""));
  assert.deepEqual(
    inputs.filter((path) => path.startsWith("sillok/")),
    ["sillok/dist/client.js"],
  );
  const code = outputFiles[0]?.text ?? "";
  assert.doesNotMatch(code, /WebAssembly|\.wasm|import\(/);
  const bytes = gzipSync(code).length;
  assert.ok(bytes <= CLIENT_GZIP_BYTES, `it is ${bytes} bytes, gzip`);
});

test("an error of one entry is recognised by the guards of every other", async () => {
  const program = `
    import assert from "node:assert/strict";
    import * as all from "sillok";
    import * as client from "sillok/client";
    for (const [made, asked] of [[all, client], [client, all]]) {
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
  const code = String(await installed("dist/sillok.js")).replaceAll("\\\n", "");
  assert.ok(code.includes(base64));
});

test("the Worker takes its wasm from beside it, and nothing else but the platform's classes", async () => {
  const worker = String(await installed("dist/worker.js"));
  const imports = worker.matchAll(/\b(?:from|import) ?"([.\w][^"]*)"/g);
  const modules = new Set([...imports].map(([, module]) => module));
  assert.deepEqual(modules, new Set(["cloudflare:workers", "./worker.wasm"]));
  const built = await readFile(join(ROOT, "worker/build/index_bg.wasm"));
  assert.ok(built.equals(await installed("dist/worker.wasm")), "it is the one that is deployed");
});

test("the entry for a Worker in Rust has no engine", async () => {
  const rust = String(await installed("dist/rust.js"));
  const imports = [...rust.matchAll(/\b(?:from|import) ?"([.\w][^"]*)"/g)].map(
    ([, module]) => module,
  );
  assert.deepEqual(imports, ["cloudflare:workers"]);
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
