// The package in other runtimes than Node, browsers and workerd: Deno, Bun, and Vercel's edge runtime. package.json pins their
// versions.

import assert from "node:assert/strict";
import { mkdir, readFile } from "node:fs/promises";
import { join } from "node:path";
import { after, before, describe, test } from "node:test";

import { EdgeRuntime } from "edge-runtime";
import { build } from "esbuild";

import { type Server } from "../support/server.ts";
import { LEAST_BEHAVIOURS } from "./contract.ts";
import { SECRET, serverWithTokens } from "./on-server.ts";
import { ROOT, useScratch } from "./scratch.ts";

process.env["DENO_NO_UPDATE_CHECK"] = "1";

const { platform, arch } = process;
const MODULES = join(ROOT, "node_modules");
const DENO = `@deno/${platform}-${arch}${platform === "linux" ? "-glibc" : ""}/deno`;
const BUN = `@oven/bun-${platform}-${arch === "arm64" ? "aarch64" : arch}/bin/bun`;
const DENO_FLAGS = ["--no-prompt", "--no-remote", "--allow-net=127.0.0.1"];

interface Result {
  readonly failed: string[];
  readonly ran: number;
}

let server: Server;
before(async () => {
  server = await serverWithTokens();
});
after(() => server.stop());

const scratch = useScratch(async (scratch) => {
  await build({
    entryPoints: [`${import.meta.dirname}/behaviour.ts`],
    outfile: scratch.at("behaviour.js"),
    format: "esm",
    bundle: true,
    external: ["sillok"],
  });
});

/** A program that runs all behaviours, also on the server, and prints this line at the end. */
async function program(name: string, folder: string | undefined, last: string): Promise<string> {
  const remote = JSON.stringify({ url: server.url.href, secret: SECRET });
  return scratch.write(
    name,
    `
import * as sillok from "sillok";
import * as testing from "sillok/testing";
import { failures } from "./behaviour.js";
const result = failures(sillok, testing, ${remote}, ${JSON.stringify(folder)});
${last}
`,
  );
}

function holds({ failed, ran }: Result, places: number): void {
  // The array may belong to another realm.
  assert.deepEqual([...failed], []);
  assert.ok(ran > places * LEAST_BEHAVIOURS, `${ran} behaviours`);
}

describe("the package does what it does elsewhere", { concurrency: true }, () => {
  for (const [runtime, path, flags] of [
    ["Deno", DENO, ["run", ...DENO_FLAGS, "--allow-read=.", "--allow-write=."]],
    ["Bun", BUN, ["run", "--no-install"]],
  ] as const) {
    test(`in ${runtime}, in files too`, async () => {
      const folder = scratch.at(`files-${runtime}`);
      await mkdir(folder);
      const last = "console.log(JSON.stringify(await result));";
      const main = await program(`${runtime}.js`, folder, last);
      const { code, stdout, stderr } = await scratch.run(join(MODULES, path), [...flags, main]);
      assert.equal(code, 0, stderr);
      holds(JSON.parse(stdout) as Result, 3);
    });
  }

  test("in Vercel's edge runtime", async () => {
    const main = await program("edge.js", undefined, "globalThis.result = result;");
    const outfile = scratch.at("edge/main.js");
    await build({ entryPoints: [main], outfile, format: "iife", bundle: true });
    const runtime = new EdgeRuntime({ initialCode: await readFile(outfile, "utf8") });
    holds(await runtime.evaluate<Promise<Result>>("result"), 2);
  });
});
