// Tests of JSON as text: the page lays it out and cuts it, and never parses it.

import assert from "node:assert/strict";
import { test } from "node:test";
import { eventBody } from "../../www/append.js";
import { layOut, parts } from "../../www/json-text.js";

test("only the space between tokens changes", () => {
  const cases: [string, string][] = [
    ["12345678901234567890", "12345678901234567890"],
    [" [1 ,2.50,\t-0 , 1E+2 ]\n", "[1, 2.50, -0, 1E+2]"],
    ["{}", "{}"],
    ["[ ]", "[]"],
    ['{"a":{},"a":[],"b":null}', '{ "a": {}, "a": [], "b": null }'],
    ['"a\\"b, {c}: [d]  \\\\"', '"a\\"b, {c}: [d]  \\\\"'],
    ['["\\u0041","A"]', '["\\u0041", "A"]'],
  ];
  for (const [written, shown] of cases) assert.equal(layOut(written), shown);
});

test("JSON that does not fit on a line is broken where it nests", () => {
  const written = '{"a":[1,2],"b":{"c":"dddddddddddd","e":[]}}';
  assert.equal(
    layOut(written, 24),
    '{\n  "a": [1, 2],\n  "b": {\n    "c": "dddddddddddd",\n    "e": []\n  }\n}',
  );
});

test("data nested as deep as it is long is laid out in proportion", () => {
  const depth = 100_000;
  const written = "[".repeat(depth) + "]".repeat(depth);
  const shown = layOut(written);
  assert.equal(shown.replace(/\s/g, ""), written);
  assert.ok(shown.length < 100 * written.length);
});

test("members and elements are cut out unchanged", () => {
  assert.deepEqual(parts(' { "a" : 1.0 , "b\\"" : {"c":[1, 2]} , "d":"}" } '), [
    { name: "a", text: "1.0" },
    { name: 'b"', text: '{"c":[1, 2]}' },
    { name: "d", text: '"}"' },
  ]);
  assert.deepEqual(parts("[]"), []);
  assert.deepEqual(
    parts('[[1,2], {"a":1} ,3]').map((part) => part.text),
    ["[1,2]", '{"a":1}', "3"],
  );
});

test("a body holds the data as typed, and no data adds a member", () => {
  assert.equal(eventBody("A", ' {"b": 1.0}'), '{"type":"A","data":\n {"b": 1.0}}');
  assert.equal(eventBody('"\\', "  \n"), '{"type":"\\"\\\\"}');
  for (const typed of [
    '1,"id":"x"',
    '{"b":1},"metadata":{}',
    "{",
    "1}",
    '1],"id":["x"',
    "\u00a0",
  ]) {
    assert.throws(() => JSON.parse(eventBody("A", typed)), SyntaxError, typed);
  }
});
