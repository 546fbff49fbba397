// Runs `wrangler dev` as a user types it, on a free port and with its own data.
import { type ChildProcess, spawn } from "node:child_process";
import { once } from "node:events";
import { setTimeout as sleep } from "node:timers/promises";
import { root } from "./fenced.ts";

export class WranglerDev {
  readonly url: string;
  readonly #child: ChildProcess;
  #printed = "";

  /** `cwd` is the folder in which the user types the command. */
  constructor(command: string, port: number, data: string, cwd: string | URL = root) {
    this.url = `http://127.0.0.1:${port}`;
    const options = `--ip 127.0.0.1 --port ${port} --inspector-port 0 --persist-to ${data}`;
    // wrangler must not ask a server for a request's place of origin.
    const env = { ...process.env, CI: "true", CLOUDFLARE_CF_FETCH_ENABLED: "false" };
    // The process and its children are a group of their own.
    this.#child = spawn("sh", ["-c", `exec ${command} ${options}`], {
      cwd,
      detached: true,
      env,
      stdio: "pipe",
    });
    const keep = (text: Buffer) => void (this.#printed += text.toString());
    this.#child.stdout?.on("data", keep);
    this.#child.stderr?.on("data", keep);
  }

  /** Waits until the server says that it is ready. */
  ready(): Promise<void> {
    return this.printed("Ready on");
  }

  /** Waits until the process has printed this text. */
  async printed(text: string): Promise<void> {
    while (!this.#printed.includes(text)) {
      if (this.#child.exitCode !== null) throw new Error(`wrangler has ended: ${this.#printed}`);
      await sleep(100);
    }
  }

  /** Ends the process and its children. */
  async stop(): Promise<void> {
    const { pid } = this.#child;
    if (pid === undefined || this.#child.exitCode !== null) return;
    const exit = once(this.#child, "exit");
    process.kill(-pid, "SIGKILL");
    await exit;
  }
}
