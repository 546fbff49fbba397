// The commands of the quick start. A test file types those of its sections, as they stand there.
import assert from "node:assert/strict";
import { readFileSync } from "node:fs";
import { after } from "node:test";
import { root } from "../docs/fenced.ts";

const text = readFileSync(new URL("docs/guides/quick-start.md", root), "utf8");

/** The text of a section, without its heading. An empty heading stands for the text before the first section. */
export function section(heading: string): string {
  const found = text.split(/^## /m).find((part, place) => {
    return heading === "" ? place === 0 : part.startsWith(`${heading}\n`);
  });
  assert(found !== undefined, `the quick start has no section "${heading}"`);
  return found;
}

/** The commands of some sections, and which of them were typed. */
export class Followed {
  readonly commands: readonly string[];
  readonly #typed = new Set<string>();

  /** After the tests of the file, all commands must have been typed. */
  constructor(...headings: string[]) {
    const blocks = headings.flatMap((heading) => [
      ...section(heading).matchAll(/^```sh\n(.*?)^```$/gms),
    ]);
    this.commands = blocks.flatMap(([, block = ""]) => block.trim().split("\n"));
    after(() => assert.deepEqual([...this.#typed], this.commands));
  }

  /** The command, if the guide shows it. */
  shows(command: string): string {
    assert(this.commands.includes(command), `the quick start shows ${command}`);
    this.#typed.add(command);
    return command;
  }
}
