/**
 * The description of the HTTP interface, `GET /v1/openapi.json`, says what is: its paths are those of the router, its codes are
 * those of the registry, and each of its example requests is answered as it says.
 */

import assert from "node:assert/strict";
import { readFileSync } from "node:fs";
import { test } from "node:test";
import { setTimeout as sleep } from "node:timers/promises";
import { fileURLToPath } from "node:url";

import { Validator } from "@seriousme/openapi-schema-validator";
import { Ajv2020 } from "ajv/dist/2020.js";
import ajvFormats from "ajv-formats";

import { type Api, assertProblem, type Reply, useApi } from "../support/api.ts";
import { useReceiver } from "../support/receiver.ts";

const at = (path: string) => fileURLToPath(new URL(`../../${path}`, import.meta.url));
const read = (path: string) => readFileSync(at(path), "utf8");

const description = JSON.parse(read("worker/src/http/openapi.json"));
const entry = at("tests/support/described-worker.ts");
const api = useApi({ entry }, prepare);
const guarded = useApi({
  entry,
  vars: { SILLOK_SECRET: "a secret of the tests, of more than 32 bytes" },
});
const receiver = useReceiver();
receiver.answer = () => 500;

/** Makes what the examples name. */
async function prepare(api: Api): Promise<void> {
  await api.executed("account-42", { type: "Open", data: { owner: "Ada" } });
  await api.executed("order-1", { type: "Place", data: { text: "bread" } });
  // The timer and the commands are parked at once.
  for (const [list, count] of [
    ["timers", 1],
    ["sent", 2],
  ] as const) {
    for (let parked = 0; parked < count; await sleep(20)) {
      const { json } = await api.request(`/v1/streams/order-1/${list}`);
      parked = json[list].filter(({ state }: any) => state === "parked").length;
    }
  }
}

const ajv = new Ajv2020({ strictSchema: false, allErrors: true });
ajvFormats.default(ajv);
ajv.addSchema(description, "description");

interface Operation {
  readonly id: string;
  readonly path: string;
  readonly method: string;
  readonly described: any;
}

const operations: readonly Operation[] = Object.entries(description.paths).flatMap(
  ([path, methods]) =>
    Object.entries(methods as object).map(([method, described]) => {
      return { id: described.operationId, path, method, described };
    }),
);
/** What removes something that another request needs comes last. */
const LAST = ["cancelTimers", "cancelSent", "discardDeadLetters", "removeConsumer"].concat(
  "truncate",
  "deleteStream",
);
const inOrder = operations.toSorted((a, b) => LAST.indexOf(a.id) - LAST.indexOf(b.id));

const resolved = (value: any): any =>
  value?.$ref === undefined
    ? value
    : value.$ref
        .slice(2)
        .split("/")
        .reduce((found: any, name: string) => found[name], description);

/** Asserts that a value has the schema at a place in the description. */
function assertShape(value: unknown, place: readonly string[], of: string): void {
  const pointer = place.map((name) =>
    encodeURIComponent(name.replaceAll("~", "~0").replaceAll("/", "~1")),
  );
  const validate = ajv.getSchema(`description#/${pointer.join("/")}`);
  assert.ok(validate, place.join(" "));
  assert.ok(validate(value), `${of}: ${ajv.errorsText(validate.errors)}`);
}

/** The codes in a text, such as "`not_found`". */
const codesIn = (text: string) => [...text.matchAll(/`(\w+)`/g)].map(([, code = ""]) => code);
/** The status of each code, from the registry's table in docs/http.md. */
const statuses = new Map(
  [...read("docs/http.md").matchAll(/^\| (\d{3}) \| `(\w+)` \|/gm)].map(([, status, code]) => [
    code ?? "",
    status ?? "",
  ]),
);

/** The ids that the server has chosen, by the operation that needs them. */
async function chosenId({ id, path }: Operation): Promise<string | undefined> {
  if (!path.includes("/sent/{id}")) return undefined;
  for (;;) {
    const { sent } = (await api.request("/v1/streams/order-1/sent")).json;
    const parked = sent.find(({ state }: any) => state === "parked");
    if (parked !== undefined) return parked.id;
    assert.notDeepEqual(sent, [], id);
    await sleep(20);
  }
}

/** The example request of an operation: its URL with the examples of its parameters, and its body. */
async function exampleOf(operation: Operation): Promise<[string, RequestInit]> {
  const { path, method, described } = operation;
  const parameters = (described.parameters ?? []).map(resolved);
  const id = await chosenId(operation);
  const url = path.replaceAll(/\{(\w+)\}/g, (_, name) => {
    const { example } = parameters.find((one: any) => one.in === "path" && one.name === name);
    return encodeURIComponent(name === "id" && id !== undefined ? id : example);
  });
  const query = parameters
    .filter(({ in: where, example }: any) => where === "query" && example !== undefined)
    .map(({ name, example }: any) => `${name}=${encodeURIComponent(example)}`);
  const content = described.requestBody?.content["application/json"];
  const body = content && JSON.stringify(content.example).replace(RECEIVER, receiver.url);
  const init = body === undefined ? {} : { body, headers: { "Content-Type": "application/json" } };
  return [`${url}${query.length > 0 ? `?${query.join("&")}` : ""}`, { ...init, method }];
}

/** The URL of the receiver in the description. */
const RECEIVER = "https://receiver.example/events";

const send = async (operation: Operation, to = api): Promise<Reply> => {
  const [path, { method = "", ...init }] = await exampleOf(operation);
  return to.request(path, { ...init, method: method.toUpperCase() });
};

test("the description is valid OpenAPI 3.1", async () => {
  const { valid, errors } = await new Validator().validate(structuredClone(description));
  assert.ok(valid, JSON.stringify(errors));
});

test("the Worker answers the description, without white space and without a token", async () => {
  const { status, json, text, headers } = await guarded.request("/v1/openapi.json");
  assert.equal(status, 200);
  assert.deepEqual(json, description);
  assert.equal(text, JSON.stringify(description));
  assert.match(headers.get("content-type") ?? "", /^application\/json/);
  assert.equal((await api.request("/v1/health")).json.version, description.info.version);
});

/** The variants of the router's enums: their names, and the paths that their comments name. */
function variants(): [name: string, paths: readonly string[]][] {
  const source = read("worker/src/http/routes.rs") + read("worker/src/http/consumers.rs");
  const enums = [...source.matchAll(/enum (?:Route|Part|Target)<'a> \{(.*?)^\}/gms)];
  assert.equal(enums.length, 3);
  const bodies = enums.map(([, body = ""]) => body).join("");
  const found = bodies.matchAll(/((?:^ {4}\/\/\/.*\n)+) {4}([A-Z]\w*)/gm);
  return [...found].map(([, comment = "", name = ""]) => {
    return [name, comment.match(/(?<=`)\/v1\/[^`]*(?=`)/g) ?? []];
  });
}

test("the paths are those of the router", () => {
  const [, ready = ""] = /READY = "(.*)"/.exec(read("worker/readiness.ts")) ?? [];
  const routed = [ready, ...variants().flatMap(([, paths]) => paths)];
  assert.deepEqual(routed.toSorted(), Object.keys(description.paths).toSorted());
  const silent = variants().filter(([, paths]) => paths.length === 0);
  // A variant that holds another enum, and paths that do not exist.
  const names = ["Stream", "Consumers", "Unknown", "Outside"];
  assert.deepEqual(
    silent.map(([name]) => name),
    names,
  );
});

for (const [path, methods] of Object.entries(description.paths)) {
  test(`${path} takes the methods of the description, and no other`, async () => {
    const url = path.replaceAll(/\{\w+\}/g, "1");
    const reply = await api.request(url, { method: "PATCH" });
    assertProblem(reply, 405, "method_not_allowed");
    const allowed = reply.headers.get("allow")?.split(", ").toSorted();
    const described = Object.keys(methods as object).map((method) => method.toUpperCase());
    const expected = described.includes("GET") ? [...described, "HEAD"] : described;
    assert.deepEqual(allowed, expected.toSorted());
  });
}

test("the codes are those of the registry, each at its status", () => {
  assert.ok(statuses.size > 60);
  const found = new Set(codesIn(description.info.description));
  for (const { id, described } of operations) {
    for (const [status, response] of Object.entries<any>(described.responses)) {
      if (Number(status) < 400) continue;
      const codes = codesIn(response.description ?? resolved(response).description);
      assert.notDeepEqual(codes, [], `${id} ${status}`);
      for (const code of codes) {
        found.add(code);
        // An event that the code of an aggregate has decided is not the fault of the caller.
        const known = code === "invalid_event" && status === "500" ? "500" : statuses.get(code);
        assert.equal(known, status, `${id}: ${code}`);
      }
    }
  }
  // A deployed Sillok has no file that another program locks or protects.
  const ofFiles = ["storage_busy", "storage_read_only"];
  assert.deepEqual([...statuses.keys()].filter((code) => !found.has(code)).toSorted(), ofFiles);
});

test("each example body has the described shape", () => {
  for (const { id, path, method, described } of operations) {
    if (described.requestBody === undefined) continue;
    const { example } = described.requestBody.content["application/json"];
    const place = ["paths", path, method, "requestBody", "content", "application/json", "schema"];
    assertShape(example, place, id);
  }
});

for (const operation of operations) {
  const { id, method, described } = operation;
  if (described.security !== undefined) continue;

  test(`${id}: errors have the described shape, and change nothing`, async () => {
    const refused = await send(operation, guarded);
    assertProblem(refused, 401, "missing_token");
    const [path, init] = await exampleOf(operation);
    const url = new URL(path, api.server.url);
    url.searchParams.set("nonsense", "1");
    const wrong = await api.request(url.href, { ...init, method: method.toUpperCase() });
    assertProblem(wrong, 400, "invalid_parameter", "nonsense");
    for (const { json } of [refused, wrong]) {
      assertShape(json, ["components", "schemas", "Problem"], id);
    }
    assert.ok(codesIn(described.responses["400"].description).includes("invalid_parameter"));
  });
}

for (const operation of inOrder) {
  const { id, path, method, described } = operation;

  test(`${id}: the example is answered as described`, async () => {
    if (id === "deadLetters") {
      while ((await api.request("/v1/consumers/receiver")).json.deadLetters === 0) await sleep(20);
    }
    const success = Object.keys(described.responses).find((status) => /^2/.test(status)) ?? "";
    const reply = await send(operation);
    assert.equal(String(reply.status), success, reply.text);
    const { content, headers = {} } = described.responses[success];
    for (const name of Object.keys(headers)) assert.ok(reply.headers.has(name), name);
    if (content === undefined) return assert.equal(reply.text, "");
    const [type = ""] = (reply.headers.get("content-type") ?? "").split(";");
    assert.ok(type in content, type);
    const place = ["paths", path, method, "responses", success, "content", type, "schema"];
    assertShape(reply.json ?? reply.text, place, id);
  });
}
