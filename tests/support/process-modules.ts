// The parts of processes that the package does not export: this file bundles their source.

import { fileURLToPath } from "node:url";

import { build } from "esbuild";

type Module = typeof import("../../js/ts/aggregate/behaviour.ts") &
  typeof import("../../js/ts/consumer/process.ts") &
  typeof import("../../worker/described.ts") &
  typeof import("../../worker/registry.ts");

const FILES = [
  "js/ts/aggregate/behaviour",
  "js/ts/consumer/process",
  "worker/described",
  "worker/registry",
];
const root = new URL("../../", import.meta.url);
const contents = FILES.map((name) => {
  const file = fileURLToPath(new URL(`${name}.ts`, root));
  return `export * from ${JSON.stringify(file)};`;
}).join("\n");
const { outputFiles } = await build({
  stdin: { contents, resolveDir: fileURLToPath(root) },
  bundle: true,
  format: "esm",
  write: false,
});
const source = Buffer.from(outputFiles[0]?.contents ?? []).toString("base64");
const module = (await import(`data:text/javascript;base64,${source}`)) as Module;

export const { Behaviour, described, follow, registryOf } = module;
