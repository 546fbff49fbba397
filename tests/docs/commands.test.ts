// Runs every command that a document shows. A command that this file does not know fails the first test.
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

/** Commands that run elsewhere in this test run, and the place. */
const RUN_ELSEWHERE = new Map([
  ["npm install sillok", "examples.test.ts, from the packed tarball"],
  ["npm init --yes", "first-worker.test.ts"],
  ["npm pkg set type=module", "first-worker.test.ts"],
  ["npm install sillok zod", "first-worker.test.ts, from the packed tarball"],
  [
    "npm install --save-dev wrangler typescript @types/node",
    "first-worker.test.ts, from this project's packages",
  ],
  ["node --test", "first-worker.test.ts"],
  ["npx wrangler dev --var SILLOK_AUTH:off", "first-worker.test.ts, on another port"],
  ["node client.ts", "first-worker.test.ts"],
  ["npx tsc", "first-worker.test.ts"],
  ['echo "SILLOK_SECRET=$(openssl rand -base64 32)" > .dev.vars', "first-worker.test.ts"],
  ["npx wrangler dev", "first-worker.test.ts, on another port"],
  ["TOKEN=$(node --env-file=.dev.vars token.ts) node client.ts", "first-worker.test.ts"],
  ["npm create sillok", "tests/create/create.test.ts, in a terminal"],
  ["npm create sillok my-bank -- --template worker", "tests/create/worker.test.ts"],
  ["cd my-bank", "tests/create/worker.test.ts"],
  ["npm install", "tests/create"],
  ["npm test", "tests/create"],
  ["npm run dev", "tests/create, on another port"],
  ["npm run types", "tests/create"],
  ["npm run deploy", "tests/create, as a dry run"],
  ["npm create sillok my-app -- --template app", "tests/create/app.test.ts"],
  ["cd my-app", "tests/create/app.test.ts"],
  ["npm create sillok my-file -- --template node", "tests/create/node.test.ts"],
  ["cd my-file", "tests/create/node.test.ts"],
  ["npm start", "tests/create/node.test.ts"],
  ["cargo xtask dev", "this file, on another port"],
  ["cargo xtask test", "the command that runs this file"],
  ["npx vite examples/bank/app", "tests/page/bank-app.test.ts, on another port"],
  ["cargo xtask docs", "site.test.ts, on another port"],
  ["cargo xtask docs --build", "site.test.ts"],
  ["cargo xtask lint", "a part of `cargo xtask test`"],
  ["cargo xtask pack", "a part of `cargo xtask test`"],
]);

/** The commands of the tutorial. tutorial.test.ts runs all of them. */
const TUTORIAL = commands("docs/tutorial.md");

/** Additions to commands that would otherwise use an account. */
const WITHOUT_ACCOUNT = new Map([
  ["npx wrangler deploy", "--dry-run"],
  ["npx wrangler secret put SILLOK_SECRET", "--help"],
  ["npx wrangler deploy --config examples/d1-read-model/wrangler.toml", "--dry-run"],
  ["npx wrangler deploy --config examples/bank/wrangler.toml", "--dry-run"],
]);

/** The starts of the examples. */
const EXAMPLES = ["bank", "bank-rust", "unique-email", "delays", "delays-rust"] as const;
const start = (example: string) => `cargo xtask dev --example ${example}`;
/** The requests in the README of an example. */
const requests = (example: string) =>
  commands(`examples/${example}/README.md`).filter((command) => command.startsWith("curl "));
/** The commands that make the tables of a database, and the migration that each of them runs. */
const MIGRATE = new Map([
  [
    "npx wrangler d1 migrations apply DB --remote --config examples/d1-read-model/wrangler.toml",
    /0001_routes\.sql/,
  ],
  [
    "npx wrangler d1 migrations apply DB --remote --config examples/bank/wrangler.toml",
    /0001_movements\.sql/,
  ],
]);

const shown = documents.flatMap(commands);
const curls = commands("README.md").filter((command) => command.startsWith("curl "));
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
  const examples = [...EXAMPLES.map(start), ...EXAMPLES.flatMap(requests), ...MIGRATE.keys()];
  const named = [...RUN_ELSEWHERE.keys(), ...WITHOUT_ACCOUNT.keys()];
  const known = [...named, ...direct, ...curls, ...examples, ...TUTORIAL];
  const unknown = shown.filter((command) => !known.includes(command));
  assert.deepEqual(unknown, []);
  const gone = known.filter((command) => !shown.includes(command));
  assert.deepEqual(gone, []);
});

test("dev prints the page's URL and a curl that works", async () => {
  assert.ok(server.printed.includes(server.url), server.printed);
  const curl = server.printed.split("\n").find((line) => line.trim().startsWith("curl"));
  assert.ok(curl !== undefined);
  // This stream belongs to this test, so that the README's stream begins empty.
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

/** Sends a request of a document to another stream of the server. */
function send(request: string, stream: string): Promise<Response> {
  const [head = "", body] = request.split("\n\n");
  const [line = "", ...headers] = head.trim().split("\n");
  const [method = "", path = ""] = line.split(" ");
  const pairs = headers.map((header) => header.split(": ") as [string, string]);
  const url = new URL(path.replace("account-42", stream), server.url);
  return fetch(url, { method, headers: pairs, ...(body === undefined ? {} : { body }) });
}

/** Appends to a stream at any version. */
async function append(stream: string, type: string): Promise<void> {
  const url = new URL(`/v1/streams/${stream}/events`, server.url);
  const response = await fetch(url, { method: "POST", body: JSON.stringify({ type }) });
  assert.equal(response.status, 201);
}

test("the append in docs/http.md is taken", async () => {
  await append("account-8", "Opened");
  const response = await send(fenced("docs/http.md", "http")[0] ?? "", "account-8");
  assert.equal(response.status, 201);
  assert.equal(response.headers.get("etag"), '"2"');
});

test("the request for the feed in docs/http.md finds the appended events", async () => {
  const shown = fenced("docs/http.md", "http");
  const request = shown.find((text) => text.startsWith("GET /v1/events")) ?? "";
  await append("account-10", "Deposited");
  let streams: string[] = [];
  while (!streams.includes("account-10")) {
    const response = await send(request, "account-10");
    assert.equal(response.status, 200);
    const { events } = (await response.json()) as { events: { stream: string; type: string }[] };
    assert(events.every(({ type }) => type === "Deposited"));
    streams = events.map(({ stream }) => stream);
  }
});

test("the webhook in docs/guides/webhooks.md is taken, and has a secret", async () => {
  const response = await send(fenced("docs/guides/webhooks.md", "http")[0] ?? "", "account-11");
  assert.equal(response.status, 200);
  const { status, secret } = (await response.json()) as { status: string; secret: string };
  assert.equal(status, "running");
  assert.match(secret, /^whsec_/);
});

test("the request in docs/guides/following.md follows from where it was left", async () => {
  for (const type of ["Opened", "Deposited", "Withdrawn"]) await append("account-9", type);
  const response = await send(fenced("docs/guides/following.md", "http")[0] ?? "", "account-9");
  assert.equal(response.headers.get("content-type"), "text/event-stream");
  assert.ok(response.body !== null);
  let text = "";
  for await (const chunk of response.body) {
    text += new TextDecoder().decode(chunk);
    if (text.includes("Withdrawn")) break;
  }
  // The message that says that the follower has caught up has the id too.
  assert.deepEqual(new Set(text.match(/^id: .*$/gm)), new Set(["id: 3"]));
  assert.doesNotMatch(text, /Opened|Deposited/);
});

test("real input is imported and reads back equal, and a second run has nothing to add", async () => {
  const command = direct.at(-1) ?? "";
  const here = `${command} --url ${server.url}`;
  assert.match(
    await shell(here),
    /^1500 events appended to 640 streams[^]*640 of 640 streams equal/,
  );
  assert.match(await shell(here), /^0 events appended to 640 streams[^]*640 of 640 streams equal/);
});

/** The answers of a bank, in TypeScript and in Rust. */
const BANK = [
  /"version":1.*"type":"Opened"/,
  /"version":2.*"type":"Deposited"/,
  /"code":"insufficient_funds","data":\{"missing":30\}/,
  /"version":2,"state":\{"owner":"Ada","cents":100\}/,
  /"key":"account-42","document":\{"owner":"Ada","cents":100\}/,
  /"version":1.*"type":"Opened"/,
  /"version":1.*"type":"Requested"/,
  /"state":\{"status":"completed","order":\{"from":"account-42","to":"account-43","cents":60\},"reason":null\}/,
  /"state":\{"owner":"Alan","cents":60\}/,
];
/** The answers to the requests in the README of each example, in order. */
const ANSWERS: Readonly<Record<(typeof EXAMPLES)[number], readonly RegExp[]>> = {
  bank: [
    ...BANK,
    /^\{"transfer":"transfer-2"\}$/,
    /"cents":40\}.*"cents":-40\}.*"cents":-60\}.*"cents":100\}/,
  ],
  "bank-rust": BANK,
  "unique-email": [/"done"/, /"email_taken"/],
  delays: [/"departures":1,"departureDelayMinutes":45/],
  "delays-rust": [/"departures":1,"departureDelayMinutes":45/, /"LateFlightExpected"/],
};
/** A flight of plane-1, which every example takes. */
const FLIGHT = { flight: "B6725", origin: "JFK", dest: "MIA", delayMinutes: 45 };

for (const example of EXAMPLES) {
  test(`${start(example)} starts, and answers as its README says`, async () => {
    const own = new DevServer(await freePort(), join(data, example), start(example));
    try {
      await own.ready();
      const url = `${own.url}/v1/streams/plane-1/events`;
      const body = JSON.stringify({ type: "FlightDeparted", data: FLIGHT });
      const { status } = await fetch(url, { method: "POST", body });
      assert.equal(status, 201);
      for (const [place, request] of requests(example).entries()) {
        assert.ok(own.printed.includes(request.replace("127.0.0.1:8787", `127.0.0.1:${own.port}`)));
        const here = request.replace("http://127.0.0.1:8787", own.url);
        await answers(here, ANSWERS[example][place] ?? /^$/);
      }
      assert.equal(requests(example).length, ANSWERS[example].length);
    } finally {
      await own.stop();
    }
  });
}

/** Sends a request. A read is repeated until its answer is the expected one, because consumers follow the events. */
async function answers(request: string, expected: RegExp): Promise<void> {
  const isRead = !request.includes(" -d ");
  let answer = await shell(request);
  while (isRead && !expected.test(answer)) answer = await shell(request);
  assert.match(answer, expected);
}

test("with a secret, dev prints a token, and requests need it", async () => {
  const folder = mkdtempSync(join(tmpdir(), "sillok-dev-secret-"));
  const guarded = new DevServer(await freePort(), folder, "cargo xtask dev --secret auto");
  try {
    await guarded.ready();
    const [, token = ""] = /TOKEN=(\S+)/.exec(guarded.printed) ?? [];
    const url = `${guarded.url}/v1/streams/account-42/events`;
    assert.equal((await fetch(url)).status, 401);
    const request = { method: "POST", body: '{"type":"Opened"}' };
    const headers = { Authorization: `Bearer ${token}` };
    assert.equal((await fetch(url, { ...request, headers })).status, 201);
    const curl = guarded.printed.split("\n").find((line) => line.includes("curl -H")) ?? "";
    const answer = await shell(`TOKEN=${token} && ${curl.replaceAll("account-42", "account-7")}`);
    assert.equal(JSON.parse(answer).version, 1);
  } finally {
    await guarded.stop();
    rmSync(folder, { recursive: true });
  }
  const short = run("cargo", ["xtask", "dev", "--secret", "short"], { cwd: root });
  await assert.rejects(short, { stderr: /a secret has 32 bytes or more, or is `auto`/ });
});

test("an unknown example is refused, and the examples are listed", async () => {
  await assert.rejects(
    shell(start("bonk")),
    /there is no example `bonk`; the examples are bank, bank-rust, delays, delays-rust, unique-email/,
  );
});

for (const [command, migration] of MIGRATE) {
  test(`${command} makes the tables`, async () => {
    const here = `--local --persist-to ${join(data, "d1")}`;
    assert.match(await shell(command.replace("--remote", here)), migration);
  });
}

test("finished builds are not repeated", async () => {
  await shell("cargo xtask build");
});

for (const [command, option] of WITHOUT_ACCOUNT) {
  test(`${command} ${option}`, async () => {
    await shell(`${command} ${option}`);
  });
}
