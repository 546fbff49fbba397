/** A wrong input gets a clear error that names it, and changes nothing. */

import assert from "node:assert/strict";
import { test } from "node:test";

import { assertProblem, eventsPath, freshStream, numbered, useApi } from "../support/api.ts";

const api = useApi();
const NDJSON = { "Content-Type": "application/x-ndjson" };

/** Body, code, field. Each body is refused with 400, and nothing is stored. */
const REFUSED_JSON: [body: string, code: string, field?: string][] = [
  ["", "malformed_json"],
  ["{", "malformed_json"],
  ['{"type":"A"} x', "malformed_json"],
  ['{"type":"A"}\n{"type":"B"}', "malformed_json"],
  ["\ufeff{}", "invalid_event", "type"],
  ['\ufeff\ufeff{"type":"A"}', "malformed_json"],
  ['{"type":"A"}\ufeff', "malformed_json"],
  ['[{"type":"A"},]', "malformed_json"],
  ['{"type":"A","data":01}', "malformed_json"],
  ['{"type":"A","data":NaN}', "malformed_json"],
  ['{"type":"\ud800"}'.replace("\ud800", "\\ud800"), "invalid_event_type", "type"],
  ["[]", "no_events", "events"],
  ["null", "invalid_event", "event"],
  ["1", "invalid_event", "event"],
  ['"A"', "invalid_event", "event"],
  ["{}", "invalid_event", "type"],
  ['[{"type":"A"},null]', "invalid_event", "events[1]"],
  ['[[{"type":"A"}]]', "invalid_event", "events[0]"],
  ['[{"type":"A"},{"data":1}]', "invalid_event", "events[1].type"],
  ['{"type":"A","version":1}', "invalid_event", "version"],
  ['{"type":"A","stream":"a"}', "invalid_event", "stream"],
  ['[{"type":"A","Data":1}]', "invalid_event", "events[0].Data"],
  ['{"type":"A","type":"B"}', "invalid_event", "type"],
  ['{"type":null}', "invalid_event_type", "type"],
  ['{"type":1}', "invalid_event_type", "type"],
  ['{"type":""}', "invalid_event_type", "type"],
  ['{"type":"a\\u0000b"}', "invalid_event_type", "type"],
  ['{"type":"a\\nb"}', "invalid_event_type", "type"],
  ['{"type":"a\\u007fb"}', "invalid_event_type", "type"],
  ['{"type":"a\\u0085b"}', "invalid_event_type", "type"],
  ['[{"type":"A"},{"type":"B"},{"type":7}]', "invalid_event_type", "events[2].type"],
  ['{"type":"A","id":""}', "invalid_event_id", "id"],
  ['{"type":"A","id":7}', "invalid_event_id", "id"],
  ['{"type":"A","id":null}', "invalid_event_id", "id"],
  ['{"type":"A","id":"a\\tb"}', "invalid_event_id", "id"],
  ['{"type":"A","metadata":null}', "invalid_metadata", "metadata"],
  ['{"type":"A","metadata":[]}', "invalid_metadata", "metadata"],
  ['[{"type":"A","metadata":"x"}]', "invalid_metadata", "events[0].metadata"],
];

for (const [body, code, field] of REFUSED_JSON) {
  test(`JSON ${JSON.stringify(body)} is ${code}`, async () => {
    const stream = freshStream();
    assertProblem(await api.append(stream, body), 400, code, field);
    assert.equal(await api.version(stream), 0);
  });
}

const REFUSED_NDJSON: [body: string, code: string, field?: string][] = [
  ["", "no_events", "events"],
  ["\n\r\n", "no_events", "events"],
  ['{"type":"A"}\n{"type":', "malformed_json"],
  ['{"type":"A"} {"type":"B"}', "malformed_json"],
  ['{"type":"A"}\n[{"type":"B"}]', "invalid_event", "events[1]"],
  ['{"type":"A"}\n\n{"type":2}', "invalid_event_type", "events[1].type"],
  ['{"type":"A"}\n\ufeff{"type":"B"}', "malformed_json"],
];

for (const [body, code, field] of REFUSED_NDJSON) {
  test(`NDJSON ${JSON.stringify(body)} is ${code}`, async () => {
    const stream = freshStream();
    assertProblem(await api.append(stream, body, NDJSON), 400, code, field);
    assert.equal(await api.version(stream), 0);
  });
}

test("malformed JSON is reported with its place", async () => {
  const { detail } = (await api.append(freshStream(), '{\n  "type": "A",\n  "data": 01\n}')).json;
  assert.match(detail, /line 3, column \d+/);
  const ndjson = (await api.append(freshStream(), '{"type":"A"}\n\n{', NDJSON)).json.detail;
  assert.match(ndjson, /line 3, column \d+/);
});

test("a body that is not UTF-8, or is compressed", async () => {
  const stream = freshStream();
  const body = Buffer.from([...Buffer.from('{"type":"'), 0xff, ...Buffer.from('"}')]);
  assertProblem(
    await api.request(eventsPath(stream), { method: "POST", body }),
    400,
    "malformed_json",
  );
  const gzip = await api.append(stream, "x", { "Content-Encoding": "gzip" });
  assertProblem(gzip, 400, "unsupported_header", "Content-Encoding");
  assert.equal(await api.version(stream), 0);
});

test("JSON nested without end does not bring the engine down", async () => {
  const stream = freshStream();
  const body = `{"type":"A","data":${"[".repeat(500_000)}`;
  assertProblem(await api.append(stream, body), 400, "malformed_json");
  assert.equal(await api.appended(stream, { type: "A" }), 1);
});

/** Path segments as a client sends them. */
for (const segment of [
  "",
  "%00",
  "a%0Ab",
  "a%7Fb",
  "a%C2%85b",
  "%FF",
  "a%C3",
  "%zz",
  "%",
  "a%2",
  "%ED%A0%80",
]) {
  test(`the stream id ${JSON.stringify(segment)} is refused`, async () => {
    const path = `/v1/streams/${segment}/events`;
    assertProblem(await api.request(path), 400, "invalid_stream_id", "stream");
    const body = '{"type":"A"}';
    assertProblem(
      await api.request(path, { method: "POST", body }),
      400,
      "invalid_stream_id",
      "stream",
    );
  });
}

const REFUSED_QUERIES: [query: string, code: string, field: string][] = [
  ["?limit=0", "", ""],
  ["?limit=-1", "invalid_parameter", "limit"],
  ["?limit=1.5", "invalid_parameter", "limit"],
  ["?limit=1e2", "invalid_parameter", "limit"],
  ["?limit=%2B5", "invalid_parameter", "limit"],
  ["?limit=", "invalid_parameter", "limit"],
  ["?limit=ten", "invalid_parameter", "limit"],
  ["?limit=1001", "page_too_large", "limit"],
  ["?limit=99999999999999999999999", "page_too_large", "limit"],
  ["?limit=1&limit=1", "invalid_parameter", "limit"],
  ["?from=0", "invalid_parameter", "from"],
  ["?from=-1", "invalid_parameter", "from"],
  ["?from=9007199254740992", "invalid_parameter", "from"],
  ["?from=%EF%BC%91", "invalid_parameter", "from"],
  ["?to=0", "", ""],
  ["?to=9007199254740992", "invalid_parameter", "to"],
  ["?to=x", "invalid_parameter", "to"],
  ["?from=3&to=2", "", ""],
  ["?from=3&to=2&direction=backward", "", ""],
  ["?direction=sideways", "invalid_parameter", "direction"],
  ["?direction=Backward", "invalid_parameter", "direction"],
  ["?direction=", "invalid_parameter", "direction"],
  ["?direction=forward&direction=forward", "invalid_parameter", "direction"],
  ["?kind=A", "invalid_parameter", "kind"],
  ["?Limit=1", "invalid_parameter", "Limit"],
  ["?limit=1&", "", ""],
];

for (const [query, code, field] of REFUSED_QUERIES) {
  test(`the query ${query} is ${code || "taken"}`, async () => {
    const reply = await api.read(freshStream(), query);
    if (code === "") assert.equal(reply.status, 200);
    else assertProblem(reply, 400, code, field);
  });
}

test("one bad event among many stores none of them", async () => {
  const stream = freshStream();
  await api.appended(stream, numbered(2));
  const events = [...numbered(50), { type: "" }, ...numbered(50)];
  assertProblem(await api.append(stream, events), 400, "invalid_event_type", "events[50].type");
  assert.equal(await api.version(stream), 2);
});
