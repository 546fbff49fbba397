// The classes of a composed Worker under the types that `wrangler types` generates.

import assert from "node:assert/strict";
import { readFile } from "node:fs/promises";
import { join } from "node:path";
import { test } from "node:test";

import { ownConfiguration } from "./own-configuration.ts";
import { ROOT, useScratch } from "./scratch.ts";

const WORKER = `
import { aggregate } from "sillok";
import { sillok } from "sillok/worker";

type Event = { type: "Deposited"; data: { cents: number } };
type Command = { type: "Deposit"; data: { cents: number } };
const account = aggregate<Event, Command, number>("account", {
  initialState: () => 0,
  evolve: (sum, { data }) => sum + data.cents,
  decide: ({ data }) => ({ type: "Deposited", data }),
});

const app = sillok({ aggregates: [account] });
export class Aggregate extends app.objects.Aggregate {}
export class Journal extends app.objects.Journal {}
export class Consumer extends app.objects.Consumer {}
export default app;
`;

const USES = (extension: string) => `
import app, { type Aggregate } from "./worker${extension}";

export async function deposit(env: Env): Promise<number> {
  const { version } = await app.connect(env).aggregate("account", "42").execute({ type: "Deposit", data: { cents: 5 } });
  // @ts-expect-error: there is no such command.
  await app.connect(env).aggregate("account", "42").execute({ type: "Deposits", data: { cents: 5 } });
  return version;
}

export const handler: ExportedHandler<Env> = app;
export const object: DurableObjectStub<Aggregate> = {} as ReturnType<Env["AGGREGATE"]["get"]>;
`;

const scratch = useScratch(async (scratch) => {
  await scratch.write("wrangler.toml", await ownConfiguration("2026-11-17", ""));
  await scratch.write("worker.ts", WORKER);
  const { code, stdout, stderr } = await scratch.run("wrangler", ["types"]);
  assert.equal(code, 0, stdout + stderr);
});

test("wrangler types finds the classes of the objects", async () => {
  const types = await readFile(scratch.at("worker-configuration.d.ts"), "utf8");
  assert.match(types, /AGGREGATE: DurableObjectNamespace<import\("\.\/worker"\)\.Aggregate>/);
});

// wrangler names files without an extension and has an `export =`: TypeScript reads that under nodenext in a CommonJS project alone.
for (const [module, resolution, type] of [
  ["esnext", "bundler", "module"],
  ["nodenext", "nodenext", "commonjs"],
] as const) {
  test(`a composed Worker compiles under ${resolution}, with the libraries checked`, async () => {
    await scratch.write("package.json", JSON.stringify({ private: true, type }));
    const compilerOptions = {
      strict: true,
      noEmit: true,
      module,
      moduleResolution: resolution,
      target: "es2024",
      lib: ["es2024"],
      types: [],
    };
    const include = ["uses.ts", "worker-configuration.d.ts"];
    await scratch.write("uses.ts", USES(module === "nodenext" ? ".js" : ""));
    await scratch.write("tsconfig.json", JSON.stringify({ compilerOptions, include }));
    for (const typescript of ["typescript", "typescript-5"]) {
      const tsc = join(ROOT, "node_modules", typescript, "bin/tsc");
      const { code, stdout } = await scratch.run(process.execPath, [tsc, "--project", "."]);
      assert.equal(code, 0, `${typescript}: ${stdout}`);
    }
  });
}
