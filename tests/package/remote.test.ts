// The package's stores on a server: real workerd, over HTTP.

import assert from "node:assert/strict";
import { after as afterAll, before as beforeAll, test } from "node:test";

import type { RemoteEventStore } from "sillok";
import { type Server } from "../support/server.ts";
import { sign } from "../support/token.ts";
import { remoteStores } from "./behaviour.ts";
import { refusing } from "./behaviour-refuse.ts";
import { values } from "./behaviour-values.ts";
import { all } from "./check.ts";
import { keepsContract } from "./contract.ts";
import { freshToken, Line, onServer, SECRET, serverWithTokens } from "./on-server.ts";
import { useScratch } from "./scratch.ts";

const scratch = useScratch();
let server: Server;
beforeAll(async () => {
  server = await serverWithTokens();
});
afterAll(() => server.stop());

test("stores on a server keep the contract", async (t) => {
  const stores = remoteStores(await scratch.sillok(), { url: server.url.href, secret: SECRET });
  await keepsContract(t, scratch, stores);
});

for (const [name, run] of Object.entries({ ...values, ...refusing })) {
  test(`on a server: ${name}`, async () => run(onServer(await scratch.sillok(), server)));
}

async function refusal(promise: Promise<unknown>): Promise<Record<string, unknown>> {
  const error: unknown = await promise.then(
    () => assert.fail("it was not refused"),
    (error: unknown) => error,
  );
  const { isSillokError } = await scratch.sillok();
  assert.ok(isSillokError(error), String(error));
  return { ...error };
}

async function calls(store: RemoteEventStore): Promise<unknown[]> {
  const asked = [
    store.append("s", { type: "A" }),
    all(store.read("s")),
    store.verify("s"),
    all(store.exportCommits("s")),
    store.truncate("s", { before: 1 }),
    store.delete("s"),
  ];
  return Promise.all(asked.map(async (call) => (await refusal(call))["code"]));
}

test("a refused caller gets the reason, and the request is not repeated", async () => {
  const sillok = await scratch.sillok();
  const line = new Line(server);
  const token = (claims: object) => sign(claims, SECRET);
  for (const [given, code] of [
    [undefined, "missing_token"],
    ["no-token", "invalid_token"],
    [sign({ scope: "admin" }, "another secret"), "invalid_token"],
    [token({ scope: "admin", exp: 1 }), "invalid_token"],
    [token({}), "insufficient_scope"],
    [token({ scope: "admin", streams: ["other-*"] }), "stream_not_allowed"],
  ] as const) {
    const store = line.connect(sillok, { token: given });
    assert.deepEqual(await calls(store), Array(6).fill(code), String(given));
  }
  assert.equal(line.requests.length, 6 * 6);
  const reader = line.connect(sillok, { token: token({ scope: "read" }) });
  assert.deepEqual(await all(reader.read("unwritten")), []);
  assert.equal((await refusal(reader.append("s", { type: "A" })))["code"], "insufficient_scope");
});

test("a server refuses to append to several streams", async () => {
  const sillok = await scratch.sillok();
  const store = new Line(server).connect(sillok);
  const refused = await store.appendAll([]).catch((error: unknown) => error);
  assert.ok(sillok.isSillokError(refused));
  assert.deepEqual([refused.code, refused.field], ["not_supported", "appends"]);
});

test("names and keys go through as they are", async () => {
  const sillok = await scratch.sillok();
  const store = sillok.EventStore.connect(server.url, { token: freshToken() });
  for (const name of ["a/b", "a?b#c", "%2e", "100%", "a b+c", "é실록😀", "..."]) {
    const event = { type: name };
    const first = await store.append(name, event, { idempotencyKey: name });
    const again = await store.append(name, event, { idempotencyKey: name });
    assert.deepEqual([first.stream, again.replayed], [name, true]);
    const [{ stream, type } = { stream: "", type: "" }] = await all(
      store.read(name, { type: name }),
    );
    assert.deepEqual([stream, type], [name, name]);
  }
  const longest = "é".repeat(100);
  await store.append("s", { type: "A" }, { idempotencyKey: longest });
  const raw = await fetch(new URL("/v1/streams/r/events", server.url), {
    method: "POST",
    headers: {
      Authorization: `Bearer ${SECRET}`,
      "Idempotency-Key": Buffer.from("é실").toString("latin1"),
    },
    body: '{"type":"A"}',
  });
  assert.equal(raw.status, 201);
  const admin = sillok.EventStore.connect(server.url, { token: SECRET });
  const same = await admin.append("r", { type: "A" }, { idempotencyKey: "é실" });
  assert.equal(same.replayed, true, "the key is the same to every client");
});

test("a value that HTTP cannot carry is refused", async () => {
  const sillok = await scratch.sillok();
  const line = new Line(server);
  const store = line.connect(sillok);
  for (const stream of [".", ".."]) {
    const { code, field } = await refusal(store.append(stream, { type: "A" }));
    assert.deepEqual([code, field], ["invalid_stream_id", "stream"]);
  }
  for (const idempotencyKey of [" k", "k\t", "\u0085k", "k\u00a0"]) {
    const { code, field } = await refusal(store.append("s", { type: "A" }, { idempotencyKey }));
    assert.deepEqual([code, field], ["invalid_idempotency_key", "idempotencyKey"]);
  }
  assert.equal(line.requests.length, 0);
});

test("more than a body may be is more than a commit may be", async () => {
  const store = new Line(server).connect(await scratch.sillok());
  const { code, field } = await refusal(
    store.append("s", { type: "A", data: "x".repeat(3_000_000) }),
  );
  assert.deepEqual([code, field], ["commit_too_large", "events"]);
});

test("an address or option that cannot be is refused at once", async () => {
  const { EventStore } = await scratch.sillok();
  const connect = EventStore.connect as (...values: unknown[]) => unknown;
  const bad = [
    undefined,
    "",
    "example.org",
    "/v1",
    "ftp://h",
    5,
    {},
    "https://u:p@h",
    "https://h?q",
    "https://h#f",
  ];
  for (const url of bad) {
    assert.throws(() => connect(url), { code: "invalid_parameter", field: "url" }, String(url));
  }
  for (const [field, values] of Object.entries({
    token: ["", " t", "t\n", "t\r\nX: y", "é", 5, null],
    fetch: [null, 5, {}],
    retries: [-1, 1.5, NaN, 101, "2", null, 2n],
    options: [null],
    tokn: ["x"],
  })) {
    for (const value of values) {
      const options = field === "options" ? value : { [field]: value };
      assert.throws(() => connect("https://h", options), { code: "invalid_parameter", field });
    }
  }
});

test("an address may end with a slash, and have a path", async () => {
  const { EventStore } = await scratch.sillok();
  const asked: string[] = [];
  const fetch = (url: string) => {
    asked.push(url);
    return Promise.resolve(new Response(null, { status: 204 }));
  };
  for (const url of ["https://h", "https://h/", "https://h/a/b/", new URL("https://h/a")]) {
    await EventStore.connect(url, { fetch }).delete("s");
  }
  const at = (root: string) => `${root}/v1/streams/s`;
  assert.deepEqual(asked, ["https://h", "https://h", "https://h/a/b", "https://h/a"].map(at));
});

test("an answer that is not Sillok's is recognised, and the request is not repeated", async () => {
  const { EventStore } = await scratch.sillok();
  const html = { "Content-Type": "text/html" };
  const lines = { "Content-Type": "application/x-ndjson", ETag: '"1"' };
  const json = { "Content-Type": "application/json" };
  const problem = { "Content-Type": "application/problem+json" };
  const answers = [
    () => new Response("<h1>Hello</h1>", { headers: html }),
    () => new Response("", { status: 404 }),
    () => new Response("", { status: 308, headers: { Location: "https://h/elsewhere" } }),
    () => new Response("{}", { status: 201, headers: json }),
    () => new Response("{}", { headers: json }),
    () => new Response("no JSON", { status: 201, headers: json }),
    () => new Response("no JSON", { headers: json }),
    () => new Response("no JSON\n", { headers: lines }),
    () => new Response("", { headers: { ...lines, ETag: "x" } }),
    () => new Response("[]", { status: 400, headers: problem }),
    () => new Response("{}", { status: 400, headers: problem }),
    () => new Response("oh", { status: 400, headers: problem }),
  ];
  for (const [place, answer] of answers.entries()) {
    let asked = 0;
    const fetch = () => {
      asked += 1;
      return Promise.resolve(answer());
    };
    const codes = await calls(EventStore.connect("https://h", { fetch }));
    assert.deepEqual(codes, Array(6).fill("invalid_answer"), `answer ${place}`);
    assert.equal(asked, 6);
  }
});

test("a problem gives an error its parts, and nothing that is not as Sillok has it", async () => {
  const { EventStore } = await scratch.sillok();
  const headers = { "Content-Type": "application/problem+json" };
  const answering = (part: string) => () => {
    const text = `{"code":"invalid_event","detail":"no",${part}}`;
    return Promise.resolve(new Response(text, { status: 400, headers }));
  };
  const plain = { code: "invalid_event" };
  for (const [part, error] of [
    ['"field":"If-Match"', { ...plain, field: "expectedVersion" }],
    ['"field":"constructor"', { ...plain, field: "constructor" }],
    ['"field":"__proto__"', { ...plain, field: "__proto__" }],
    ['"field":{"x":1},"stream":["s"],"actual":"7","expected":{}', plain],
    ['"__proto__":{"field":"x"},"name":"x","stack":"x","cause":"x"', plain],
    [
      '"stream":"s","expected":"any","actual":7',
      { ...plain, stream: "s", expected: "any", actual: 7 },
    ],
  ] as const) {
    const store = EventStore.connect("https://h", { fetch: answering(part) });
    assert.deepEqual(await refusal(store.append("s", { type: "A" })), error, part);
  }
});

test("a line or a message that is not an event is reported", async () => {
  const { EventStore } = await scratch.sillok();
  const [lines, messages] = ["application/x-ndjson", "text/event-stream"];
  for (const event of ["null", "7", "[]", "{}", '{"version":"1","checkpoint":1}']) {
    const answer = (body: string, type: string) => {
      const headers = { "Content-Type": type, ETag: '"1"' };
      const fetch = () => Promise.resolve(new Response(body, { headers }));
      return EventStore.connect("https://h", { fetch });
    };
    const byLine = answer(`${event}\n`, lines);
    const bySse = answer(`data: ${event}\n\n`, messages);
    for (const read of [
      byLine.read("s"),
      byLine.readAll(),
      bySse.subscribe("s"),
      bySse.subscribe({ all: true }),
    ]) {
      assert.deepEqual(await refusal(read.next()), { code: "invalid_answer" }, event);
    }
  }
});
