// What the package does wherever it runs, on files.

import { after, test } from "node:test";

import { behaviours } from "./behaviour.ts";
import { Files } from "./on-file.ts";
import { useScratch } from "./scratch.ts";

const scratch = useScratch();
const files = new Files();
after(() => files.remove());

for (const [name, run] of Object.entries(behaviours)) {
  test(`on a file: ${name}`, async () => run(files.instead(await scratch.sillok())));
}
