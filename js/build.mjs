// Builds js/dist, the content of the npm package, from js/ts, from wasm-bindgen's output in js/generated, and from the Worker.
// Build the Worker first. `cargo xtask build` runs this script.

import { execFileSync } from "node:child_process";
import { copyFileSync, mkdirSync, readdirSync, readFileSync, rmSync, writeFileSync } from "node:fs";
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
  // Names are not minified, so that a stack is readable.
  minifySyntax: true,
  minifyWhitespace: true,
  legalComments: "none",
  // Node prints the line of an error. With all code on one line, it would print the whole wasm.
  lineLimit: 1000,
  outdir: at("dist"),
  logLevel: "warning",
};
/** The package has two wasm files in one folder. This plugin gives the Worker's file its name. */
const workerWasm = {
  name: "worker-wasm",
  setup({ onResolve }) {
    onResolve({ filter: /\/index_bg\.wasm$/ }, () => ({ path: "./worker.wasm", external: true }));
  },
};
const entry = (path, out) => ({ ...shared, entryPoints: { [out]: at(`ts/${path}.ts`) } });
/** For Workers: one file needs no engine, one starts it, and both share their code in a third. */
const inWorkers = {
  ...shared,
  entryPoints: { definitions: at("ts/definitions.ts"), engine: at("ts/entrypoints/workerd.ts") },
  external: ["./sillok.wasm"],
  splitting: true,
  chunkNames: "shared",
  metafile: true,
};
const [{ metafile }] = await Promise.all([
  build(inWorkers),
  build({ ...entry("entrypoints/inlined", "sillok"), loader: { ".wasm": "base64" } }),
  build(entry("client/index", "client")),
  // Frameworks with components on the server must know that these run in the page.
  build({ ...entry("react/index", "react"), external: ["react"], banner: { js: '"use client";' } }),
  // It takes the engine of the program, if a test runs a whole application.
  build({ ...entry("testing/index", "testing"), external: ["sillok"] }),
  build({
    ...shared,
    entryPoints: { worker: at("../worker/index.ts"), rust: at("../worker/rust.ts") },
    external: ["cloudflare:workers"],
    plugins: [workerWasm],
  }),
]);
// A file of exports alone: a bundler then takes only the files behind the names that a program imports.
const [definitions, all] = ["definitions", "engine"].map(
  (name) =>
    Object.entries(metafile.outputs).find(([path]) => path.endsWith(`/${name}.js`))[1].exports,
);
const exported = (names, from) => `export { ${names.join(", ")} } from "./${from}.js";\n`;
const others = all.filter((name) => !definitions.includes(name));
writeFileSync(
  at("dist/workerd.js"),
  exported(definitions, "definitions") + exported(others, "engine"),
);
copyFileSync(at("generated/sillok_js_bg.wasm"), at("dist/sillok.wasm"));
copyFileSync(at("../worker/build/index_bg.wasm"), at("dist/worker.wasm"));

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
  "consumer/definition",
  "consumer/handles",
  "consumer/process",
  "consumer/process-types",
  "consumer/projection",
  "consumer/reactor",
  "gateway/event-gateway",
  "gateway/event-handler",
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
  "testing/simulate",
].map((name) => `${name}.d.ts`);
for (const file of readdirSync(at("dist/types"), { recursive: true })) {
  if (file.endsWith(".ts") && !PUBLIC.includes(file)) rmSync(at(`dist/types/${file}`));
}

// The Worker's types are checked against the types of the package.
typed("../worker/tsconfig.types.json");
mkdirSync(at("dist/types/worker"));
for (const name of ["composition", "engine", "index", "rust"]) {
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
