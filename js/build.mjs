// Builds js/dist, the content of the npm package, from js/ts, from wasm-bindgen's output in js/generated, and from the Worker.
// Build the Worker first. `cargo xtask build` runs this script.

import { execFileSync } from "node:child_process";
import {
  copyFileSync,
  cpSync,
  mkdirSync,
  readdirSync,
  readFileSync,
  rmSync,
  writeFileSync,
} from "node:fs";
import { createRequire } from "node:module";
import { fileURLToPath } from "node:url";
import { build } from "esbuild";

const at = (path) => fileURLToPath(new URL(path, import.meta.url));

rmSync(at("dist"), { recursive: true, force: true });

const shared = {
  bundle: true,
  format: "esm",
  platform: "neutral",
  target: "es2022",
  charset: "utf8",
  legalComments: "none",
  outdir: at("dist"),
  logLevel: "warning",
};
/** The package has three wasm files in one folder. This plugin gives the files of generated code their names. */
const wasm = {
  name: "wasm",
  setup({ onResolve }) {
    onResolve({ filter: /\/index_bg\.wasm$/ }, () => ({ path: "./worker.wasm", external: true }));
    onResolve({ filter: /\/sillok_js_bg\.wasm$/ }, () => ({ path: "./base64.js", external: true }));
  },
};
// All entries in one build: they share the files of their common code, so a program has each definition once, whichever
// entries it imports. The code is not minified: an error that nobody catches prints the line that threw it.
const { metafile } = await build({
  ...shared,
  entryPoints: {
    definitions: at("ts/definitions.ts"),
    inlined: at("ts/entrypoints/inlined.ts"),
    engine: at("ts/entrypoints/engine.ts"),
    workerd: at("ts/index.ts"),
    client: at("ts/client/index.ts"),
    react: at("ts/react/index.ts"),
    testing: at("ts/testing/index.ts"),
    worker: at("../worker/index.ts"),
    "worker-node": at("../worker/node.ts"),
    rust: at("../worker/rust.ts"),
  },
  // The tests of a user take the engine of their program.
  external: ["cloudflare:workers", "react", "sillok", "./sillok.wasm"],
  plugins: [wasm],
  splitting: true,
  chunkNames: "chunks/[hash]",
  sourcemap: true,
  metafile: true,
});
// Frameworks with components on the server must know that these run in the page.
const REACT = at("dist/react.js");
writeFileSync(REACT, `"use client"; ${readFileSync(REACT, "utf8")}`);
// A file of exports alone: a bundler then takes only the files behind the names that a program imports.
const exported = ["definitions", "inlined"].map((name) => {
  const [, { exports }] = Object.entries(metafile.outputs).find(([path]) =>
    path.endsWith(`/${name}.js`),
  );
  return `export { ${exports.join(", ")} } from "./${name}.js";\n`;
});
writeFileSync(at("dist/sillok.js"), exported.join(""));
const GENERATED = at("generated/sillok_js_bg.wasm");
const lines = readFileSync(GENERATED)
  .toString("base64")
  .replaceAll(/.{1000}/g, "$&\\\n");
writeFileSync(at("dist/base64.js"), `export default "${lines}";\n`);
copyFileSync(GENERATED, at("dist/sillok.wasm"));
copyFileSync(at("../worker/build/index_bg.wasm"), at("dist/worker.wasm"));

// The console, with the whole package in one file.
cpSync(at("../www"), at("dist/console"), {
  recursive: true,
  filter: (path) => path !== at("../www/sillok"),
});
await build({
  ...shared,
  stdin: {
    contents: 'export * from "./definitions.js"; export * from "./entrypoints/inlined.js";',
    resolveDir: at("ts"),
    loader: "ts",
  },
  outdir: undefined,
  outfile: at("dist/console/sillok/sillok.js"),
  loader: { ".wasm": "base64" },
  minify: true,
  lineLimit: 1000,
});

const tsc = createRequire(import.meta.url)
  .resolve("typescript/package.json")
  .replace("package.json", "bin/tsc");
const typed = (project) =>
  execFileSync(process.execPath, [tsc, "--project", at(project)], { stdio: "inherit" });
typed("tsconfig.types.json");
// The other files declare internals: the engine, its JSON, and HTTP.
const PUBLIC = [
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
  "consumer/process",
  "consumer/process-types",
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
  "remote/aggregate-store",
  "remote/event-store",
  "aggregate/aggregate-store",
  "react/context",
  "react/index",
  "react/use-command",
  "react/use-documents",
  "react/use-stream",
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
].map((name) => `${name}.d.ts`);
for (const file of readdirSync(at("dist/types"), { recursive: true })) {
  if (file.endsWith(".ts") && !PUBLIC.includes(file)) rmSync(at(`dist/types/${file}`));
}

// The Worker's types are checked against the types of the package.
typed("../worker/tsconfig.types.json");
mkdirSync(at("dist/types/worker"));
for (const name of ["app", "engine", "index", "rust"]) {
  const declared = readFileSync(at(`../target/types/sillok-worker/worker/${name}.d.ts`), "utf8");
  // The paths of the imports in the package.
  const published = declared
    .replaceAll('from "sillok"', 'from "../index.js"')
    .replaceAll('from "../js/ts/', 'from "../')
    .replaceAll(/(?<=from "\.[^"]*)\.ts(?=")/g, ".js");
  writeFileSync(at(`dist/types/worker/${name}.d.ts`), published);
}

for (const licence of ["LICENSE-MIT", "LICENSE-APACHE"]) {
  copyFileSync(at(`../${licence}`), at(licence));
}
