// Projects with the installed tarball, as a user would have them.

import { execFile } from "node:child_process";
import { mkdir, mkdtemp, realpath, rm, symlink, writeFile } from "node:fs/promises";
import { createRequire } from "node:module";
import { tmpdir } from "node:os";
import { delimiter, dirname, join } from "node:path";
import { after, before } from "node:test";
import { fileURLToPath, pathToFileURL } from "node:url";
import { promisify } from "node:util";

import type { Sillok, Testing } from "./behaviour.ts";

export const ROOT = fileURLToPath(new URL("../../", import.meta.url));
const BIN = join(ROOT, "node_modules/.bin");

export interface Output {
  readonly code: number;
  readonly stdout: string;
  readonly stderr: string;
}

/** The packed tarball. Without it, a test file ends here, before it has started anything. */
export const TARBALL = process.env["SILLOK_TARBALL"] ?? "";
if (TARBALL === "") throw new Error("SILLOK_TARBALL must name the packed tarball");

/**
 * A project of its own for the tests of a file. Only the tarball is installed. `prepare` runs before the tests: two `before`
 * hooks of one file do not wait for each other.
 */
export function useScratch(prepare = async (_scratch: Scratch): Promise<void> => {}): Scratch {
  const scratch = new Scratch();
  before(async () => {
    await scratch.make();
    await prepare(scratch);
  });
  after(() => scratch.remove());
  return scratch;
}

export class Scratch {
  #directory = "";

  async make(): Promise<void> {
    this.#directory = await realpath(await mkdtemp(join(tmpdir(), "sillok-")));
    await this.write("package.json", '{ "private": true, "type": "module" }');
    const flags = ["--offline", "--no-audit", "--no-fund", "--loglevel=error"];
    const { code, stdout, stderr } = await this.run("npm", ["install", ...flags, TARBALL]);
    if (code !== 0) throw new Error(`npm install failed:\n${stdout}${stderr}`);
  }

  async remove(): Promise<void> {
    await rm(this.#directory, { recursive: true, force: true });
  }

  at(path: string): string {
    return join(this.#directory, path);
  }

  async write(path: string, text: string): Promise<string> {
    const file = this.at(path);
    await mkdir(dirname(file), { recursive: true });
    await writeFile(file, text);
    return file;
  }

  /** Adds packages that the repository has installed. */
  async link(...names: readonly string[]): Promise<void> {
    for (const name of names) {
      const at = this.at(`node_modules/${name}`);
      await mkdir(dirname(at), { recursive: true });
      await symlink(join(ROOT, "node_modules", name), at);
    }
  }

  /** Runs a program in the project. The repository's own tools are on its search path. */
  async run(program: string, args: readonly string[]): Promise<Output> {
    const env = {
      ...process.env,
      PATH: [dirname(process.execPath), BIN, process.env["PATH"]].join(delimiter),
      NODE_OPTIONS: "",
      WRANGLER_SEND_METRICS: "false",
    };
    // A program that a test runs is not a test.
    const { NODE_TEST_CONTEXT: _, FORCE_COLOR: __, ...clean } = env as Record<string, string>;
    try {
      const { stdout, stderr } = await promisify(execFile)(program, args, {
        cwd: this.#directory,
        env: clean,
        maxBuffer: 64 * 1024 * 1024,
      });
      return { code: 0, stdout, stderr };
    } catch (error) {
      const { code, stdout, stderr } = error as {
        code?: unknown;
        stdout?: string;
        stderr?: string;
      };
      if (typeof code !== "number") throw error;
      return { code, stdout: stdout ?? "", stderr: stderr ?? "" };
    }
  }

  /** Runs a program with Node, and returns the lines of its output. */
  async lines(file: string): Promise<string[]> {
    const { code, stdout, stderr } = await this.run(process.execPath, [this.at(file)]);
    if (code !== 0) throw new Error(`${file} failed:\n${stderr}`);
    return stdout.trimEnd().split("\n");
  }

  /** The package as this process imports it. */
  async sillok(): Promise<Sillok> {
    return (await this.#import("sillok")) as Sillok;
  }

  /** The published contract. */
  async testing(): Promise<Testing> {
    return (await this.#import("sillok/testing")) as Testing;
  }

  #import(name: string): Promise<unknown> {
    const path = createRequire(this.at("package.json")).resolve(name);
    return import(pathToFileURL(path).href);
  }
}
