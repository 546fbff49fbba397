// The template `node`, from the packed packages, in an empty folder, as the quick start says.
import assert from "node:assert/strict";
import { test } from "node:test";
import { compilers } from "./compilers.ts";
import { Followed } from "./followed.ts";
import { User } from "./user.ts";

const user = await User.start();
const guide = new Followed("In Node");
const project = user.at("my-file");

test("it is created, and installs", async () => {
  const create = guide.shows("npm create sillok my-file -- --template node");
  const printed = await user.succeeds(create);
  const next =
    /cd my-file\n {2}npm install\n {2}npm test .*\n {2}npm start .*\n {2}npm run dev .*\n$/;
  assert.match(printed, next);
  await user.succeeds(`${guide.shows("cd my-file")} && ${guide.shows("npm install")}`);
});

test("its tests pass, and its types are right", async () => {
  assert.match(await user.succeeds(guide.shows("npm test"), project), /^. pass 4$[^]*^. fail 0$/m);
  await user.succeeds("npm run types", project);
  for (const tsc of compilers) assert.equal(await user.succeeds(tsc, project), "");
});

test("each run finds the events of the runs before it", async () => {
  for (const cents of [100, 200]) {
    const printed = await user.succeeds(guide.shows("npm start"), project);
    assert.match(printed, new RegExp(`^account-42 \\{ owner: 'Ada', cents: ${cents} \\}$`, "m"));
    assert.doesNotMatch(printed, /Warning: /);
  }
});

test("dev runs the program again after a change", async () => {
  const dev = user.start("npm run dev", project);
  try {
    await dev.prints(/cents: 300/);
    await user.succeeds("touch bank.ts", project);
    await dev.prints(/cents: 400/);
  } finally {
    await dev.stop();
  }
});
