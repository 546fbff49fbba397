// The class by which the engine calls an aggregate's code. The package does not export it, so this file bundles its source.

import { fileURLToPath } from "node:url";

import { build } from "esbuild";

type Module = typeof import("../../js/ts/aggregate/behaviour.ts") &
  typeof import("../../js/ts/aggregate/prepare.ts") &
  typeof import("../../js/ts/aggregate/events.ts");

const at = (name: string) =>
  fileURLToPath(new URL(`../../js/ts/aggregate/${name}.ts`, import.meta.url));
const contents = ["behaviour", "prepare", "events"]
  .map((name) => `export * from ${JSON.stringify(at(name))};`)
  .join("\n");
const { outputFiles } = await build({
  stdin: { contents, resolveDir: fileURLToPath(new URL(".", import.meta.url)) },
  bundle: true,
  format: "esm",
  write: false,
});
const source = Buffer.from(outputFiles[0]?.contents ?? []).toString("base64");
const module = (await import(`data:text/javascript;base64,${source}`)) as Module;

export const { Behaviour, prepared, upcast } = module;
