// Runs `cargo xtask dev` as a user types it, on a free port and with its own data.
import { type ChildProcess, spawn } from "node:child_process";
import { once } from "node:events";
import { createServer } from "node:net";
import { setTimeout as sleep } from "node:timers/promises";
import { root } from "./fenced.ts";

/** A free port. */
export async function freePort(): Promise<number> {
  const server = createServer().listen(0, "127.0.0.1");
  await once(server, "listening");
  const address = server.address();
  if (address === null || typeof address === "string") throw new Error("no port");
  server.close();
  await once(server, "close");
  return address.port;
}

export class DevServer {
  readonly #child: ChildProcess;
  readonly port: number;
  printed = "";

  /** `command` is `cargo xtask dev`, or the start of an example. */
  constructor(port: number, data: string, command = "cargo xtask dev") {
    this.port = port;
    const [program = "", ...words] = command.split(" ");
    const options = ["--port", String(port), "--persist", data];
    this.#child = spawn(program, [...words, ...options], { cwd: root, stdio: "pipe" });
    const keep = (text: Buffer) => void (this.printed += text.toString());
    this.#child.stdout?.on("data", keep);
    this.#child.stderr?.on("data", keep);
  }

  get url(): string {
    return `http://127.0.0.1:${this.port}`;
  }

  /** Waits for the text that says that the server is ready. */
  async ready(): Promise<void> {
    while (!this.printed.includes("curl")) {
      if (this.#child.exitCode !== null) throw new Error(`dev has ended: ${this.printed}`);
      await sleep(100);
    }
  }

  /** Ends the server by force, like a crash, and waits until its port is free. */
  async kill(): Promise<void> {
    const exit = once(this.#child, "exit");
    this.#child.kill("SIGKILL");
    await exit;
    await this.#untilSilent();
  }

  /** Ends the server as a service manager would. */
  async stop(): Promise<void> {
    const exit = once(this.#child, "exit");
    this.#child.kill("SIGTERM");
    await exit;
    await this.#untilSilent();
  }

  async #untilSilent(): Promise<void> {
    const answers = () =>
      fetch(`${this.url}/v1/health`).then(
        () => true,
        () => false,
      );
    while (await answers()) await sleep(100);
  }
}
