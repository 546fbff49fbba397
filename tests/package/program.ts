// A program that runs beside a test. The test can write to it and kill it.

import assert from "node:assert/strict";
import { type ChildProcessWithoutNullStreams, spawn } from "node:child_process";
import { once } from "node:events";

import { Waiting } from "../support/waiting.ts";

export class Program extends Waiting {
  readonly child: ChildProcessWithoutNullStreams;
  /** The output so far. */
  readonly printed = { text: "", errors: "" };
  /** Resolves after the program has ended and all its output has arrived. */
  readonly closed: Promise<unknown>;
  ended = false;

  /** Starts a program for Node. */
  constructor(file: string, ...args: string[]) {
    super();
    this.child = spawn(process.execPath, [file, ...args], { stdio: "pipe" });
    this.child.stdout.on("data", (text: Buffer) => {
      this.printed.text += text.toString();
      this.changed();
    });
    this.child.stderr.on("data", (text: Buffer) => void (this.printed.errors += text.toString()));
    // Input for a program that has ended is lost. `printedLines` and `closed` report the end.
    this.child.stdin.on("error", () => undefined);
    this.closed = once(this.child, "close").then(() => {
      this.ended = true;
      this.changed();
    });
  }

  /** The whole lines of the output so far. */
  get lines(): string[] {
    return this.printed.text.split("\n").slice(0, -1);
  }

  /** Waits until the program has printed this number of lines. */
  async printedLines(count: number): Promise<void> {
    await this.until(({ ended, lines }) => ended || lines.length >= count);
    assert.ok(this.lines.length >= count, `it has ended: ${this.printed.errors}`);
  }

  /** Writes a line to the program. */
  say(line: string): void {
    this.child.stdin.write(`${line}\n`);
  }

  /** Ends the input, at which programs end, and waits until the program has ended without an error. */
  async end(): Promise<void> {
    this.child.stdin.end();
    await this.endedWell();
  }

  /** Waits until the program has ended by itself, without an error. */
  async endedWell(): Promise<void> {
    await this.closed;
    assert.equal(this.child.exitCode, 0, this.printed.errors);
  }

  /** Kills the program at once. */
  async kill(): Promise<void> {
    this.child.kill("SIGKILL");
    await this.closed;
    assert.equal(this.child.signalCode, "SIGKILL", this.printed.errors);
  }
}
