// What the package does wherever it runs, on files.

import { after, test } from "node:test";

import { behaviours } from "./behaviour.ts";
import { keepsContract } from "./contract.ts";
import { Files } from "./on-file.ts";
import { useScratch } from "./scratch.ts";

const scratch = useScratch();
const files = new Files();
after(() => files.remove());

test("stores on files keep the contract", async (t) => {
  const { EventStore } = files.instead(await scratch.sillok());
  await keepsContract(t, scratch, () => new EventStore());
});

for (const [name, run] of Object.entries(behaviours)) {
  test(`on a file: ${name}`, async () => run(files.instead(await scratch.sillok())));
}
