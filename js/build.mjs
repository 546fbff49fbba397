// Builds js/dist, which is what is published, from js/ts and from wasm-bindgen's output in js/generated.
// Run by `cargo xtask build`.

import { execFileSync } from "node:child_process";
import { copyFileSync, rmSync } from "node:fs";
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
const entry = (name, out) => ({
  ...shared,
  entryPoints: { [out]: at(`ts/entrypoints/${name}.ts`) },
});
await Promise.all([
  build({ ...entry("inlined", "sillok"), loader: { ".wasm": "base64" } }),
  build({ ...entry("workerd", "workerd"), external: ["./sillok.wasm"] }),
]);
copyFileSync(at("generated/sillok_js_bg.wasm"), at("dist/sillok.wasm"));

const tsc = createRequire(import.meta.url)
  .resolve("typescript/package.json")
  .replace("package.json", "bin/tsc");
execFileSync(process.execPath, [tsc, "--project", at("tsconfig.types.json")], { stdio: "inherit" });
// These speak of the engine, of its JSON and of HTTP, which are nobody's business outside.
const OWN = [
  "backoff",
  "database",
  "engine",
  "http",
  "json",
  "read",
  "remote-input",
  "remote-read",
  "remote-subscribe",
  "saved-events",
];
for (const own of OWN) rmSync(at(`dist/types/${own}.d.ts`));

for (const licence of ["LICENSE-MIT", "LICENSE-APACHE"]) {
  copyFileSync(at(`../${licence}`), at(licence));
}
