/** GET /v1/streams/{stream}/commits: all hashed content, verified here from the description of the format alone. */

import assert from "node:assert/strict";
import { createHash } from "node:crypto";
import { test } from "node:test";

import {
  type Api,
  assertProblem,
  freshStream,
  type HeaderValues,
  numbered,
  streamPath,
  useApi,
} from "../support/api.ts";

const api: Api = useApi();

const commits = (stream: string, headers: HeaderValues = {}, method = "GET") =>
  api.request(`${streamPath(stream)}/commits`, { method, headers });

async function lines(stream: string): Promise<any[]> {
  const reply = await commits(stream);
  assert.equal(reply.status, 200, reply.text);
  assert.equal(reply.headers.get("content-type"), "application/x-ndjson");
  assert(reply.text === "" || reply.text.endsWith("\n"));
  return reply.text
    .split("\n")
    .slice(0, -1)
    .map((line) => JSON.parse(line));
}

/** The hash at the end of a chain. Each link is computed again. */
function proved(exported: any[]): string {
  let [head, version] = ["0".repeat(64), 0];
  for (const { stream, base, ...commit } of exported) {
    if (base !== undefined) {
      [head, version] = [base.hash, base.version];
      continue;
    }
    assert.equal(commit.firstVersion, version + 1);
    const { time, keyOrigin, events } = commit;
    const key = keyOrigin === undefined ? (commit.key ?? "") : `${keyOrigin}\t${commit.key}`;
    const content = `${stream}\n${commit.version}\n${time}\n${key}\n${events}`;
    head = createHash("sha256").update(Buffer.from(head, "hex")).update(content).digest("hex");
    assert.equal(head, commit.hash);
    version = commit.version;
  }
  return head;
}

async function headOf(stream: string): Promise<string> {
  const { json } = await api.request(`${streamPath(stream)}/verify`);
  assert.equal(json.intact, true, JSON.stringify(json));
  return json.head;
}

test("the commits of a stream prove themselves, and hold its events as they were sent", async () => {
  const stream = freshStream("é");
  const data = '{ "a" :\t[ 1e400,\n 2 ],"b":"\\u0000\u2028" }';
  await api.append(stream, `{"type":"A","data":${data}}`, { "Idempotency-Key": 'k "1"' });
  await api.appended(stream, numbered(3));
  const exported = await lines(stream);
  assert.deepEqual(
    exported.map(({ firstVersion, version, key, keyOrigin }) => [
      firstVersion,
      version,
      key,
      keyOrigin,
    ]),
    [
      [1, 1, 'k "1"', "client"],
      [2, 4, undefined, undefined],
    ],
  );
  assert(exported[0].events.includes(`"data":${data}`), exported[0].events);
  assert.equal(proved(exported), await headOf(stream));
  const { time } = (await api.read(stream)).json.events[0];
  assert.equal(new Date(exported[0].time).toISOString(), time);
});

test("truncated events are not in the export, but their hash is", async () => {
  const stream = freshStream();
  for (let n = 0; n < 4; n++) await api.appended(stream, numbered(2));
  const whole = await headOf(stream);
  for (const [before, base, count] of [
    [3, 2, 3],
    [4, 4, 2],
    [9, 8, 0],
  ]) {
    const body = JSON.stringify({ before });
    await api.request(`${streamPath(stream)}/truncate`, { method: "POST", body });
    const exported = await lines(stream);
    assert.deepEqual([exported[0].base.version, exported.length - 1], [base, count]);
    assert.equal(proved(exported), whole);
  }
  await api.request(streamPath(stream), { method: "DELETE" });
  assert.equal(proved(await lines(stream)), whole);
  assert.deepEqual(await lines(freshStream()), []);
});

test("a long stream is verified and exported page by page", async () => {
  const stream = freshStream("long");
  for (let n = 1; n <= 10; n++) {
    await api.appended(stream, { type: "Large", data: "x".repeat(1_000_000) });
  }
  for (let n = 0; n < 3; n++) await api.appended(stream, numbered(1));
  assert.equal(proved(await lines(stream)), await headOf(stream));
  const verified = await api.request(`${streamPath(stream)}/verify`);
  assert.deepEqual([verified.json.version, verified.json.commits], [13, 13]);
  // Each page looks up the last commit of the previous page.
  const read = Number(verified.headers.get("sillok-rows-read"));
  assert(read >= 13 && read <= 25, `${read} rows read`);
  await api.server.sql(stream, "UPDATE commits_v1 SET time = time + 1 WHERE version = 9");
  const broken = await api.request(`${streamPath(stream)}/verify`);
  assert.deepEqual([broken.json.version, broken.json.broken.version], [8, 9]);
});

test("an altered event is exported unchanged, and its export does not verify", async () => {
  const stream = freshStream();
  for (let n = 0; n < 3; n++) await api.appended(stream, numbered(1));
  await api.server.sql(stream, "UPDATE commits_v1 SET events = 'x' WHERE version = 2");
  const exported = await lines(stream);
  assert.equal(exported[1].events, "x");
  assert.throws(() => proved(exported));
});

test("the ETag is the version that was exported; conditions and other forms are refused", async () => {
  const stream = freshStream();
  await api.appended(stream, numbered(3));
  for (const method of ["GET", "HEAD"]) {
    const reply = await commits(stream, {}, method);
    assert.deepEqual([reply.status, reply.headers.get("etag")], [200, '"3"']);
    assert.equal(reply.headers.get("content-type"), "application/x-ndjson");
  }
  assertProblem(
    await commits(stream, { Accept: "application/json" }),
    406,
    "not_acceptable",
    "Accept",
  );
  const known = await commits(stream, { "If-None-Match": '"3"' });
  assertProblem(known, 400, "unsupported_header", "If-None-Match");
  const query = await api.request(`${streamPath(stream)}/commits?from=1`);
  assertProblem(query, 400, "invalid_parameter", "from");
});
