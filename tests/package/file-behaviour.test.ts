// The behaviour of the package on every platform, on files.

import { after, test } from "node:test";

import { behaviours } from "./behaviour.ts";
import { keepsContract } from "./contract.ts";
import { Files } from "./on-file.ts";
import { useScratch } from "./scratch.ts";

const scratch = useScratch();
const files = new Files();
after(() => files.remove());

test("stores on files keep the contract", async (t) => {
  const sillok = await scratch.sillok();
  const { EventStore } = files.instead(sillok);
  const another = (store: object) => files.another(sillok, store);
  await keepsContract(t, scratch, () => new EventStore(), another);
});

for (const [name, run] of Object.entries(behaviours)) {
  test(`on a file: ${name}`, async () => run(files.instead(await scratch.sillok())));
}
