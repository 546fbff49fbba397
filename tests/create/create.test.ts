// `npm create sillok`, as a user types it: what it asks, and what it refuses.
import assert from "node:assert/strict";
import { mkdirSync, readdirSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { afterEach, test } from "node:test";
import { User } from "./user.ts";

const user = await User.start();
const at = (...names: string[]) => user.at(...names);
afterEach(() => {
  for (const entry of user.entries()) rmSync(at(entry), { recursive: true });
});

/** Commands that are wrong, and what their answer says. */
const MISTAKES: readonly (readonly [command: string, says: RegExp])[] = [
  ["npm create sillok", /error: the name and --template must be given, because there is no term/],
  ["npm create sillok my-bank", /error: --template must be given/],
  ["npm create sillok -- --template node", /error: the name must be given/],
  [
    "npm create sillok my-bank -- --template bank",
    /error: `bank` is no template; the templates are worker, app, node/,
  ],
  ["npm create sillok my-bank -- --template", /error: --template has no value; the templates are/],
  ["npm create sillok my-bank -- --fast", /error: `--fast` is unknown; the option is --template/],
  ["npm create sillok my bank 2 -- --template node", /error: `2` is too much: give one name/],
  ["npm create sillok My_Bank -- --template node", /error: `My_Bank` is not a valid name; use lo/],
  ["npm create sillok ../bank -- --template node", /error: `\.\.\/bank` is not a valid name/],
  ["npm create sillok bank- -- --template node", /error: `bank-` is not a valid name/],
  ["npm create sillok sillok -- --template node", /error: `sillok` is the name of a package/],
  [
    `npm create sillok ${"a".repeat(64)} -- --template node`,
    /error: the name has 64 characters; the most is 63/,
  ],
];

for (const [command, says] of MISTAKES) {
  test(`${command} is refused`, async () => {
    const { code, printed } = await user.type(command);
    assert.equal(code, 2, printed);
    assert.match(printed, says);
    assert.deepEqual(user.entries(), []);
  });
}

test("a folder that is not empty is refused, and so is a file", async () => {
  mkdirSync(at("my-bank"));
  writeFileSync(at("my-bank/notes.txt"), "mine");
  writeFileSync(at("a-file"), "mine");
  const refused = async (name: string, says: RegExp) => {
    const { code, printed } = await user.type(`npm create sillok ${name} -- --template node`);
    assert.equal(code, 2, printed);
    assert.match(printed, says);
  };
  await refused("my-bank", /error: the folder `my-bank` is not empty: it has `notes\.txt`/);
  await refused("a-file", /error: `a-file` is a file; choose another name/);
  assert.deepEqual(readdirSync(at("my-bank")), ["notes.txt"]);
  assert.equal(readFileSync(at("a-file"), "utf8"), "mine");
});

test("this folder is taken, if it has only a repository", async () => {
  const folder = at("my-bank");
  mkdirSync(at("my-bank/.git"), { recursive: true });
  const printed = await user.succeeds("npm create sillok . -- --template node", folder);
  assert.match(printed, /Created my-bank from the template node\. Next:\n\n {2}npm install\n/);
  assert.equal(JSON.parse(readFileSync(at("my-bank/package.json"), "utf8")).name, "my-bank");
});

test("without `--`, npm removes the option, and the template is still found", async () => {
  await user.succeeds("npm create sillok my-bank --template node");
  assert(readdirSync(at("my-bank")).includes("bank.ts"));
});

test("it prints its options, and its version", async () => {
  const help = await user.succeeds("npm create sillok -- --help");
  assert.match(help, /Usage: npm create sillok[^]*worker {2}[^]*app {5}[^]*node {4}/);
  const { version } = JSON.parse(
    readFileSync(new URL("../../js/package.json", import.meta.url), "utf8"),
  );
  assert.match(
    await user.succeeds("npm create sillok -- --version"),
    new RegExp(`^${version}$`, "m"),
  );
});

test("in a terminal, it asks for the name and the template", async () => {
  const terminal = user.inTerminal("npm create sillok");
  await terminal.prints(/The name of the project/);
  terminal.says("My Bank\r");
  await terminal.prints(/`My Bank` is not a valid name/);
  terminal.says(`${"\b".repeat(7)}my-bank\r`);
  await terminal.prints(/The template/);
  terminal.says("\u001b[B\u001b[B\r");
  assert.equal(await terminal.ends(), 0, terminal.printed);
  assert.match(terminal.printed, /Created my-bank from the template node/);
  assert(readdirSync(at("my-bank")).includes("bank.ts"));
});

test("in a terminal, a question can be cancelled", async () => {
  const terminal = user.inTerminal("npm create sillok my-bank");
  await terminal.prints(/The template/);
  terminal.says("\u0003");
  assert.equal(await terminal.ends(), 1, terminal.printed);
  assert.match(terminal.printed, /cancelled; nothing was written/);
  assert.deepEqual(user.entries(), []);
});
