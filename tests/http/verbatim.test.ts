/** Data and metadata are returned as exactly the same text. */

import assert from "node:assert/strict";
import { test } from "node:test";

import { eventsPath, freshStream, useApi } from "../support/api.ts";

const api = useApi();

const DATA: Record<string, string> = {
  "a number beyond floating point": "1e400",
  "a number beyond 2^53": "12345678901234567890",
  "a number of many digits": `0.${"1234567890".repeat(20)}`,
  "numbers as they were written": "[1.0,1e2,1E+2,-0,-0.0,0e0]",
  "keys twice": '{"a":1,"a":2}',
  "keys in their order": '{"z":1,"a":2,"10":3,"2":4}',
  "a key of JavaScript's own": '{"__proto__":{"x":1},"constructor":null}',
  "white space within": '{ "a" :\t[ 1,\n 2 ] }',
  escapes: '"\\u00e9\\/\\n\\u0000\\ud83e\\udd80"',
  "half a character": '"\\ud800"',
  unicode: '"é 🦀 한국어 \u2028\u2029\u0085\ufeff\uffff e\u0301"',
  "a long text": `"${"é 🦀 한국어 \u2028".repeat(400)}"`,
  "a long text that begins in ASCII": `"${"a".repeat(5_000)}🦀"`,
  "deep nesting": `${"[".repeat(100)}${"]".repeat(100)}`,
  "very deep nesting": `${'{"a":'.repeat(5_000)}1${"}".repeat(5_000)}`,
  nothing: "null",
  "an empty text": '""',
  "what stored events are made of": '{"id":"x","type":"y","data":"}],[{","metadata":{}}',
};

for (const [what, data] of Object.entries(DATA)) {
  test(`data: ${what}`, async () => {
    const stream = freshStream();
    const metadata = `{"same": ${data}}`;
    const reply =
      metadata.length <= 16_000
        ? await api.append(stream, `{"type":"A","data":  ${data}\t,"metadata":${metadata} }`)
        : await api.append(stream, `{"type":"A","data":  ${data}\t}`);
    assert.equal(reply.status, 201, reply.text);
    const read = (await api.read(stream)).text;
    assert(read.includes(`"data":${data},"metadata":`), read.slice(0, 500));
    if (metadata.length <= 16_000)
      assert(read.includes(`"metadata":${metadata}}`), read.slice(0, 500));
    const backward = (await api.read(stream, "?direction=backward&limit=1")).text;
    assert.equal(backward, read);
  });
}

test("types and ids come back as the same text, however they were escaped", async () => {
  const stream = freshStream();
  const body =
    '[{"type":"\\u0041é\\"\\\\\\/","id":"\\ud83e\\udd80"},{"type":"<a>&\\u2028","id":"\'"}]';
  assert.equal((await api.append(stream, body)).status, 201);
  const { events } = (await api.read(stream)).json;
  assert.deepEqual(
    events.map((event: any) => [event.type, event.id]),
    [
      ['Aé"\\/', "🦀"],
      ["<a>&\u2028", "'"],
    ],
  );
});

test("NDJSON keeps data verbatim too", async () => {
  const stream = freshStream();
  const body = '{"type":"A","data":1e400}\n{"type":"B","data":12345678901234567890}';
  const headers = { "Content-Type": "application/x-ndjson" };
  const reply = await api.request(eventsPath(stream), { method: "POST", body, headers });
  assert.equal(reply.status, 201);
  const { text } = await api.read(stream);
  assert(text.includes('"data":1e400,') && text.includes('"data":12345678901234567890,'), text);
});
