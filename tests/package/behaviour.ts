// What the package does wherever it runs: the same list is run in Node, in Chromium and in workerd.

import { appending } from "./behaviour-append.ts";
import { reading } from "./behaviour-read.ts";
import { refusing } from "./behaviour-refuse.ts";
import { tutorial } from "./behaviour-tutorial.ts";

export type Sillok = typeof import("sillok");

/** A name that says what holds, and a function that throws when it does not. */
export type Behaviours = Record<string, (sillok: Sillok) => void | Promise<void>>;

export const behaviours: Behaviours = { ...appending, ...reading, ...refusing, ...tutorial };

/** Runs all of them, and says for each that failed how. */
export async function failures(sillok: Sillok): Promise<string[]> {
  const found: string[] = [];
  for (const [name, run] of Object.entries(behaviours)) {
    try {
      await run(sillok);
    } catch (error) {
      found.push(`${name}: ${error instanceof Error ? error.message : String(error)}`);
    }
  }
  return found;
}
