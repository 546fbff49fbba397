// A Worker with an invalid composition reports the reason, and `wrangler dev` shows it.
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { after, test } from "node:test";
import { freePort } from "./dev-server.ts";
import { WranglerDev } from "./wrangler-dev.ts";

const data = mkdtempSync(join(tmpdir(), "sillok-composed-"));
after(() => rmSync(data, { recursive: true, force: true }));

/** The compositions and their errors. The log puts a backslash before quotation marks. */
const REFUSED = [
  [
    "tests/support/compositions/one-name-twice.ts",
    String.raw`Uncaught TypeError: two consumers have the name \"counts\"`,
  ],
  [
    "tests/support/compositions/one-aggregate-twice.ts",
    String.raw`Uncaught TypeError: two aggregates have the name \"counter\"`,
  ],
  [
    "tests/support/compositions/a-bad-policy.ts",
    "the consumer's `attempts` must be a whole number from 1 to 100",
  ],
  [
    "tests/crashes/one-name-twice.js",
    String.raw`Uncaught Error: two consumers have the name \"beside\"`,
  ],
  [
    "tests/crashes/one-category-twice.js",
    String.raw`Uncaught Error: two aggregates have the category \"tally\"`,
  ],
  [
    "tests/crashes/one-category-in-both.js",
    String.raw`Uncaught TypeError: two aggregates have the name \"tally\"`,
  ],
  [
    "tests/crashes/a-bad-policy.js",
    'Uncaught Error: the definition of the consumer \\"endless\\" is not valid: the consumer\'s `attempts` must be a whole number from 1 to 100',
  ],
] as const;

for (const [entry, words] of REFUSED) {
  test(`${entry} is refused in words`, async () => {
    const command = `npx wrangler dev ${entry} --config tests/crashes/wrangler.toml`;
    const wrangler = new WranglerDev(command, await freePort(), data);
    try {
      await wrangler.printed(words);
    } finally {
      await wrangler.stop();
    }
  });
}
