// A program that runs beside a test, which may speak to it and kill it.

import assert from "node:assert/strict";
import { type ChildProcessWithoutNullStreams, spawn } from "node:child_process";
import { once } from "node:events";

import { Waiting } from "../support/waiting.ts";

export class Program extends Waiting {
  readonly child: ChildProcessWithoutNullStreams;
  /** What it has printed so far. */
  readonly printed = { text: "", errors: "" };
  /** Comes true once it has ended and everything that it printed is here. */
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
    // What is said to a program that has ended is lost; that it has ended is told by `printedLines` and `closed`.
    this.child.stdin.on("error", () => undefined);
    this.closed = once(this.child, "close").then(() => {
      this.ended = true;
      this.changed();
    });
  }

  /** The whole lines that it has printed so far. */
  get lines(): string[] {
    return this.printed.text.split("\n").slice(0, -1);
  }

  /** Waits until it has printed so many lines. */
  async printedLines(count: number): Promise<void> {
    await this.until(({ ended, lines }) => ended || lines.length >= count);
    assert.ok(this.lines.length >= count, `it has ended: ${this.printed.errors}`);
  }

  /** Says a line to it. */
  say(line: string): void {
    this.child.stdin.write(`${line}\n`);
  }

  /** Ends what is said to it, which programs take for their end, and waits until it has ended well. */
  async end(): Promise<void> {
    this.child.stdin.end();
    await this.endedWell();
  }

  /** Waits until it has ended by itself, and sees that it ended well. */
  async endedWell(): Promise<void> {
    await this.closed;
    assert.equal(this.child.exitCode, 0, this.printed.errors);
  }

  /** Ends it at once, whatever it is doing. */
  async kill(): Promise<void> {
    this.child.kill("SIGKILL");
    await this.closed;
    assert.equal(this.child.signalCode, "SIGKILL", this.printed.errors);
  }
}
