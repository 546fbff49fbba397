// What the package does wherever it runs: the same list is run in Node, in memory and on a file, in Chromium and in
// workerd.

import { appending } from "./behaviour-append.ts";
import { exporting } from "./behaviour-export.ts";
import { forgetting } from "./behaviour-forget.ts";
import { reading } from "./behaviour-read.ts";
import { refusing } from "./behaviour-refuse.ts";
import { repeating } from "./behaviour-repeat.ts";
import { tutorial } from "./behaviour-tutorial.ts";
import { same, thrown } from "./check.ts";

export type Sillok = typeof import("sillok");

/** A name that says what holds, and a function that throws when it does not. */
export type Behaviours = Record<string, (sillok: Sillok) => void | Promise<void>>;

export const behaviours: Behaviours = {
  ...appending,
  ...reading,
  ...refusing,
  ...repeating,
  ...forgetting,
  ...exporting,
  ...tutorial,
};

const withoutFiles: Behaviours = {
  "where there are no files, opening one is refused"({ EventStore, isSillokError }) {
    const refused = thrown(() => EventStore.open("bank.db"));
    same(isSillokError(refused) && refused.code, "unsupported_platform");
  },
};

/** Runs all of them in a place without files, and says for each that failed how. */
export async function failures(sillok: Sillok): Promise<string[]> {
  const found: string[] = [];
  for (const [name, run] of Object.entries({ ...behaviours, ...withoutFiles })) {
    try {
      await run(sillok);
    } catch (error) {
      found.push(`${name}: ${error instanceof Error ? error.message : String(error)}`);
    }
  }
  return found;
}
