// A user with an empty folder, Node and npm, who types commands. Nothing else of this project is on the search path.
import assert from "node:assert/strict";
import { type ChildProcess, execFile, spawn } from "node:child_process";
import { once } from "node:events";
import { mkdtempSync, readdirSync, realpathSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { delimiter, dirname, join } from "node:path";
import { after } from "node:test";
import { fileURLToPath } from "node:url";

import { Registry } from "./registry.ts";

const root = fileURLToPath(new URL("../../", import.meta.url));
const [sillok, create] = ["SILLOK_TARBALL", "SILLOK_CREATE_TARBALL"].map((name) => {
  const path = process.env[name];
  assert(path, `${name} must name the packed tarball`);
  return path;
}) as [string, string];

/** The search path without this project's tools and without Rust. */
const path = (process.env["PATH"] ?? "")
  .split(delimiter)
  .filter((folder) => !folder.startsWith(root) && !folder.includes(".cargo"));

/** The result of a command: its exit code, and all that it has printed. */
export interface Answer {
  readonly code: number;
  readonly printed: string;
}

export class User {
  /** The empty folder. */
  readonly folder = realpathSync(mkdtempSync(join(tmpdir(), "sillok-create-")));
  readonly #cache = mkdtempSync(join(tmpdir(), "sillok-create-cache-"));
  readonly #registry: Registry;
  readonly #started: Running[] = [];

  private constructor(registry: Registry) {
    this.#registry = registry;
  }

  /** A user for the tests of one file. */
  static async start(): Promise<User> {
    const user = new User(await Registry.start(sillok, create));
    after(async () => {
      // A test that takes too long does not end what it has started.
      await Promise.all(user.#started.map((running) => running.stop()));
      user.#registry.stop();
      for (const path of [user.folder, user.#cache]) rmSync(path, { recursive: true, force: true });
    });
    return user;
  }

  get env(): NodeJS.ProcessEnv {
    // A program that a test runs is not a test, and the npm that runs a test is not the user's.
    const own = Object.entries(process.env).filter(
      ([name]) => !/^(npm_|NODE_|SILLOK_|FORCE_COLOR)/i.test(name),
    );
    return {
      ...Object.fromEntries(own),
      PATH: [dirname(process.execPath), ...path].join(delimiter),
      CLOUDFLARE_CF_FETCH_ENABLED: "false",
      WRANGLER_SEND_METRICS: "false",
      NO_COLOR: "1",
      npm_config_registry: this.#registry.url,
      npm_config_cache: this.#cache,
      npm_config_audit: "false",
      npm_config_update_notifier: "false",
      // `npm create` asks whether it may install the package.
      npm_config_yes: "true",
    };
  }

  at(...names: string[]): string {
    return join(this.folder, ...names);
  }

  /** The entries of the empty folder. */
  entries(): string[] {
    return readdirSync(this.folder).toSorted();
  }

  /** Types a command in a folder, and waits for its end. */
  type(command: string, folder = this.folder): Promise<Answer> {
    const options = { cwd: folder, env: this.env, maxBuffer: 1 << 26 };
    return new Promise((resolve) => {
      const child = execFile("sh", ["-c", command], options, (_, stdout, stderr) => {
        resolve({ code: child.exitCode ?? 1, printed: stdout + stderr });
      });
      child.stdin?.end();
    });
  }

  /** Types a command that must succeed, and returns what it prints. */
  async succeeds(command: string, folder?: string): Promise<string> {
    const { code, printed } = await this.type(command, folder);
    assert.equal(code, 0, `${command}\n${printed}`);
    return printed;
  }

  /** Starts a command that runs until it is ended. */
  start(command: string, folder: string): Running {
    // wrangler and Vite ask nothing there.
    return this.#run("sh", ["-c", `exec ${command}`], folder, { CI: "true" });
  }

  /** Starts a command in a terminal. */
  inTerminal(command: string): Running {
    // A new terminal has no columns.
    const sized = `stty cols 100 rows 40; ${command}`;
    const args = ["-q", "-e", "-c", sized, "/dev/null"];
    const macos = ["-q", "/dev/null", "sh", "-c", sized];
    return this.#run("script", process.platform === "darwin" ? macos : args, this.folder, {
      CI: undefined,
      TERM: "xterm",
    });
  }

  #run(program: string, args: readonly string[], cwd: string, more: NodeJS.ProcessEnv): Running {
    // The process and its children are a group of their own.
    const options = { cwd, env: { ...this.env, ...more }, detached: true, stdio: "pipe" } as const;
    const running = new Running(spawn(program, args, options));
    this.#started.push(running);
    return running;
  }
}

/** A command that runs. */
export class Running {
  readonly #child: ChildProcess;
  readonly #exit: Promise<unknown>;
  printed = "";

  constructor(child: ChildProcess) {
    this.#child = child;
    this.#exit = once(child, "close");
    const keep = (text: Buffer) => void (this.printed += text.toString());
    child.stdout?.on("data", keep);
    child.stderr?.on("data", keep);
  }

  /** Waits until it has printed a text like this, and returns the first group, or the whole. */
  async prints(text: RegExp): Promise<string> {
    for (;;) {
      const found = text.exec(this.printed);
      if (found !== null) return found[1] ?? found[0];
      assert.equal(this.#child.exitCode, null, `it has ended: ${this.printed}`);
      await Promise.race([once(this.#child.stdout!, "data"), this.#exit]);
    }
  }

  /** Types on its terminal. */
  says(text: string): void {
    this.#child.stdin?.write(text);
  }

  /** Waits until it ends by itself, and returns its exit code. */
  async ends(): Promise<number> {
    await this.#exit;
    return this.#child.exitCode ?? 1;
  }

  /** Ends the process and its children. */
  async stop(): Promise<void> {
    const { pid, exitCode, signalCode } = this.#child;
    if (pid !== undefined && exitCode === null && signalCode === null) {
      process.kill(-pid, "SIGKILL");
    }
    await this.#exit;
  }
}
