// Builds js/dist, which is what is published, from js/ts and from wasm-bindgen's output in js/generated.
// Run by `cargo xtask build`.

import { execFileSync } from "node:child_process";
import { copyFileSync, readdirSync, rmSync } from "node:fs";
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
  // Names stay, so that a stack can be read.
  minifySyntax: true,
  minifyWhitespace: true,
  legalComments: "none",
  outdir: at("dist"),
  logLevel: "warning",
};
const entry = (path, out) => ({ ...shared, entryPoints: { [out]: at(`ts/${path}.ts`) } });
await Promise.all([
  build({ ...entry("entrypoints/inlined", "sillok"), loader: { ".wasm": "base64" } }),
  build({ ...entry("entrypoints/workerd", "workerd"), external: ["./sillok.wasm"] }),
  build(entry("testing/index", "testing")),
]);
copyFileSync(at("generated/sillok_js_bg.wasm"), at("dist/sillok.wasm"));

const tsc = createRequire(import.meta.url)
  .resolve("typescript/package.json")
  .replace("package.json", "bin/tsc");
execFileSync(process.execPath, [tsc, "--project", at("tsconfig.types.json")], { stdio: "inherit" });
// All others speak of the engine, of its JSON and of HTTP, which are nobody's business outside.
const PUBLIC = [
  "consumers/definition",
  "consumers/handles",
  "consumers/projection",
  "consumers/reactor",
  "errors",
  "event-gateway",
  "event-handler",
  "event-store",
  "events",
  "index",
  "options",
  "remote-event-store",
  "store",
  "testing/index",
  "verify-commits",
].map((name) => `${name}.d.ts`);
for (const file of readdirSync(at("dist/types"), { recursive: true })) {
  if (file.endsWith(".ts") && !PUBLIC.includes(file)) rmSync(at(`dist/types/${file}`));
}

for (const licence of ["LICENSE-MIT", "LICENSE-APACHE"]) {
  copyFileSync(at(`../${licence}`), at(licence));
}
