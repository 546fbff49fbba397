// A reader who types the commands of a document in an empty folder.
import assert from "node:assert/strict";
import { execFile } from "node:child_process";
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { after } from "node:test";
import { fileURLToPath } from "node:url";
import { promisify } from "node:util";
import { freePort } from "./dev-server.ts";
import { root } from "./fenced.ts";
import { WranglerDev } from "./wrangler-dev.ts";

// Without this variable, `node --test` reports to a user, and not to this test.
const { NODE_TEST_CONTEXT: _, ...env } = process.env;

/** A package of this project. With it, a test needs no network. */
export const installed = (name: string) => fileURLToPath(new URL(`node_modules/${name}`, root));

/** The reader for the tests of one file. The folders and the Worker end with them. */
export class Reader {
  readonly folder = mkdtempSync(join(tmpdir(), "sillok-reader-"));
  readonly #data = mkdtempSync(join(tmpdir(), "sillok-reader-data-"));
  readonly #shown: readonly string[];
  #wrangler: WranglerDev | undefined;
  /** The commands that this reader has typed. */
  readonly typed: string[] = [];

  /** `shown` are the commands of the document. */
  constructor(shown: readonly string[]) {
    this.#shown = shown;
    after(async () => {
      await this.#wrangler?.stop();
      for (const path of [this.folder, this.#data]) rmSync(path, { recursive: true, force: true });
    });
  }

  /** Runs a command in the folder, as changed by the test, and returns what it prints. */
  async type(command: string, changed = command): Promise<string> {
    this.#noted(command);
    const { stdout } = await promisify(execFile)("sh", ["-c", changed], { cwd: this.folder, env });
    return stdout;
  }

  /** Starts the Worker by a command on another port, in place of the one that runs, and returns its URL. */
  async start(command: string): Promise<string> {
    this.#noted(command);
    await this.#wrangler?.stop();
    this.#wrangler = new WranglerDev(command, await freePort(), this.#data, this.folder);
    await this.#wrangler.ready();
    return this.#wrangler.url;
  }

  #noted(command: string): void {
    assert.ok(this.#shown.includes(command), `the document shows ${command}`);
    this.typed.push(command);
  }
}
