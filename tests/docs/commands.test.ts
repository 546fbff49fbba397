// Every command that a document shows, run. A command that is not known here fails the first test.
import assert from "node:assert/strict";
import { execFile } from "node:child_process";
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { after, before, test } from "node:test";
import { promisify } from "node:util";
import { DevServer, freePort } from "./dev-server.ts";
import { commands, documents, fenced, root } from "./fenced.ts";

const run = promisify(execFile);

/** Commands that run elsewhere in this very test run, and where. */
const RUN_ELSEWHERE = new Map([
  ["npm install sillok", "examples.test.ts, from the packed tarball"],
  ["cargo xtask dev", "this file, on another port"],
  ["cargo xtask test", "the command that runs this file"],
  ["cargo xtask lint", "a part of `cargo xtask test`"],
  ["cargo xtask pack", "a part of `cargo xtask test`"],
]);

/** What is added to a command that would otherwise reach for somebody's account. */
const WITHOUT_ACCOUNT = new Map([
  ["npx wrangler deploy", "--dry-run"],
  ["npx wrangler secret put SILLOK_SECRET", "--help"],
]);

const shown = documents.flatMap(commands);
const curls = shown.filter((command) => command.startsWith("curl "));
const direct = [
  "cargo xtask build",
  "node examples/import-flights.mjs examples/flights-sample.ndjson.gz",
];

/** Runs a command line from the root of the project, as a shell does. */
async function shell(command: string): Promise<string> {
  const { stdout } = await run("sh", ["-c", command], { cwd: root, maxBuffer: 1 << 26 });
  return stdout;
}

const data = mkdtempSync(join(tmpdir(), "sillok-dev-"));
let server: DevServer;

before(async () => {
  server = new DevServer(await freePort(), data);
  await server.ready();
});
after(async () => {
  await server.stop();
  rmSync(data, { recursive: true });
});

test("every command shown is run by a test", () => {
  const known = [...RUN_ELSEWHERE.keys(), ...WITHOUT_ACCOUNT.keys(), ...direct, ...curls];
  const unknown = shown.filter((command) => !known.includes(command));
  assert.deepEqual(unknown, []);
  const gone = known.filter((command) => !shown.includes(command));
  assert.deepEqual(gone, []);
});

test("dev tells what to open and a curl that works", async () => {
  assert.ok(server.printed.includes(server.url), server.printed);
  const curl = server.printed.split("\n").find((line) => line.trim().startsWith("curl"));
  assert.ok(curl !== undefined);
  // A stream of its own, so that the README's begins empty.
  const answer = JSON.parse(await shell(curl.replaceAll("account-42", "account-7")));
  assert.equal(answer.stream, "account-7");
  assert.equal(answer.version, 1);
});

test("the README's requests answer as it says, and the data outlives a crash", async () => {
  assert.equal(curls.length, 3);
  const send = (curl: string) => shell(curl.replaceAll("http://127.0.0.1:8787", server.url));
  const [first = "", second = "", read = ""] = curls;
  assert.match(await send(first), /^HTTP\/1\.1 201[^]*etag: "1"/i);
  assert.match(await send(first), /^HTTP\/1\.1 412[^]*"actual":1/);
  assert.match(await send(second), /^HTTP\/1\.1 201[^]*etag: "2"/i);
  const before = JSON.parse(await send(read));
  assert.deepEqual(
    before.events.map((event: { type: string }) => event.type),
    ["Opened", "Deposited"],
  );

  await server.kill();
  server = new DevServer(server.port, data);
  await server.ready();
  assert.deepEqual(JSON.parse(await send(read)), before);
});

test("the request in docs/http.md is taken", async () => {
  const [request = ""] = fenced("docs/http.md", "http");
  const [head = "", body = ""] = request.split("\n\n");
  const [line = "", ...headers] = head.split("\n");
  const [method = "", path = ""] = line.split(" ");
  const stream = path.replace("account-42", "account-8");
  const url = new URL(stream, server.url);
  await fetch(url, { method, body: '{"type":"Opened"}' });
  const pairs = headers.map((header) => header.split(": ") as [string, string]);
  const response = await fetch(url, { method, headers: pairs, body });
  assert.equal(response.status, 201);
  assert.equal(response.headers.get("etag"), '"2"');
});

test("real input is imported and reads back equal, and a second run has nothing to add", async () => {
  const [, command = ""] = direct;
  const here = `${command} --url ${server.url}`;
  assert.match(
    await shell(here),
    /^1500 events appended to 640 streams[^]*640 of 640 streams equal/,
  );
  assert.match(await shell(here), /^0 events appended to 640 streams[^]*640 of 640 streams equal/);
});

test("what is built already is not built again", async () => {
  await shell("cargo xtask build");
});

for (const [command, option] of WITHOUT_ACCOUNT) {
  test(`${command} ${option}`, async () => {
    await shell(`${command} ${option}`);
  });
}
