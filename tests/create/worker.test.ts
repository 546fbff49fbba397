// The template `worker`, from the packed packages, in an empty folder.
import assert from "node:assert/strict";
import { existsSync } from "node:fs";
import { test } from "node:test";
import { freePort } from "../docs/dev-server.ts";
import { compilers } from "./compilers.ts";
import { User } from "./user.ts";

const user = await User.start();
const project = user.at("my-bank");

test("it is created, and installs", async () => {
  const printed = await user.succeeds("npm create sillok my-bank -- --template worker");
  assert.match(
    printed,
    /cd my-bank\n {2}npm install\n {2}npm test .*\n {2}npm run dev .*\n {2}npm run deploy .*\n$/,
  );
  await user.succeeds("npm install", project);
});

test("its tests pass, and its types are right", async () => {
  assert.match(await user.succeeds("npm test", project), /Tests +7 passed/);
  await user.succeeds("npm run types", project);
  for (const tsc of compilers) assert.equal(await user.succeeds(tsc, project), "");
});

test("dev starts the Worker, which decides commands and makes documents", async () => {
  const port = await freePort();
  const dev = user.start(`npm run dev -- --port ${port} --inspector-port 0`, project);
  try {
    await dev.prints(/Ready on/);
    const url = `http://127.0.0.1:${port}/v1`;
    const send = async (body: object) => {
      const options = { method: "POST", body: JSON.stringify(body) };
      const response = await fetch(`${url}/streams/account-42/commands`, options);
      assert.equal(response.status, 200, await response.text());
    };
    await send({ type: "Open", data: { owner: "Ada" } });
    await send({ type: "Deposit", data: { cents: 100 } });
    const read = async () => (await fetch(`${url}/projections/balances/documents`)).text();
    let documents = await read();
    while (!documents.includes('"cents":100')) documents = await read();
    assert.match(documents, /"key":"account-42","document":\{"owner":"Ada","cents":100\}/);
  } finally {
    await dev.stop();
  }
});

test("it can be deployed", async () => {
  const printed = await user.succeeds("npm run deploy -- --dry-run", project);
  for (const name of ["AGGREGATE", "JOURNAL", "CONSUMER"]) assert.match(printed, new RegExp(name));
  assert(existsSync(user.at("my-bank/.gitignore")), "the name that npm would leave out");
});
