/** The flights of the examples: the file, and its import by the example. */

import assert from "node:assert/strict";
import { execFile } from "node:child_process";
import { readFile } from "node:fs/promises";
import { fileURLToPath } from "node:url";
import { gunzipSync } from "node:zlib";

const at = (path: string): string =>
  fileURLToPath(new URL(`../../examples/${path}`, import.meta.url));
const FILE = at("flights-sample.ndjson.gz");
const IMPORT = at("import-flights.mjs");

/** One line of the file. */
export interface Flight {
  stream: string;
  type: string;
  data: { origin: string; dest: string; delayMinutes?: number };
}

/** The lines of the file, in its order. */
export async function flights(): Promise<Flight[]> {
  const text = gunzipSync(await readFile(FILE)).toString("utf8");
  return text
    .trimEnd()
    .split("\n")
    .map((line) => JSON.parse(line));
}

/** The number of lines of each stream. */
export function lengths(lines: readonly Flight[]): Map<string, number> {
  const counts = new Map<string, number>();
  for (const { stream } of lines) counts.set(stream, (counts.get(stream) ?? 0) + 1);
  return counts;
}

/** Imports the file, many streams at once, and returns whether the import reached the end of the file. */
export function importFlights(url: URL): Promise<boolean> {
  return new Promise((resolve) => {
    execFile(process.execPath, [IMPORT, FILE, "--url", url.href], (error) =>
      resolve(error === null),
    );
  });
}

/** Imports the whole file. */
export async function imported(url: URL): Promise<void> {
  assert(await importFlights(url), "the import came to its end");
}
