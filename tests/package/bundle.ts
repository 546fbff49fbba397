// Bundles files of the tests.

import assert from "node:assert/strict";

import { build, type Plugin } from "esbuild";

/** The package stays outside of a bundle, under this name. */
const outside = (path: string): Plugin => ({
  name: "outside",
  setup: ({ onResolve }) => onResolve({ filter: /^sillok$/ }, () => ({ path, external: true })),
});

/** Bundles a file. If a name for the package is given, the package stays outside. */
export async function bundle(
  from: string,
  outfile: string,
  format: "esm" | "iife",
  sillok?: string,
): Promise<void> {
  const { warnings } = await build({
    entryPoints: [from],
    outfile,
    format,
    bundle: true,
    plugins: sillok === undefined ? [] : [outside(sillok)],
    logLevel: "silent",
  });
  assert.deepEqual(warnings, []);
}
