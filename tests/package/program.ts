// A program that runs beside a test, which may kill it.

import { type ChildProcess, spawn } from "node:child_process";

export interface Program {
  readonly child: ChildProcess;
  /** What it has printed so far. */
  readonly printed: { text: string; errors: string };
}

/** Starts a program for Node. */
export function start(file: string, ...args: string[]): Program {
  const child = spawn(process.execPath, [file, ...args], { stdio: "pipe" });
  const printed = { text: "", errors: "" };
  child.stdout.on("data", (text: Buffer) => void (printed.text += text.toString()));
  child.stderr.on("data", (text: Buffer) => void (printed.errors += text.toString()));
  return { child, printed };
}
