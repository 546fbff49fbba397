/**
 * The answers of an object to a caller of another version: to messages with other fields, and to methods that it does not have.
 */

import assert from "node:assert/strict";
import { test } from "node:test";
import { fileURLToPath } from "node:url";

import { useApi } from "../support/api.ts";

const api = useApi({ entry: fileURLToPath(import.meta.resolve("../support/calling-worker.ts")) });

async function call(binding: string, name: string, method: string, message: unknown): Promise<any> {
  const body = JSON.stringify({ binding, name, method, message });
  const reply = await api.request("/v1/call", { method: "POST", body });
  assert.equal(reply.status, 200, reply.text);
  return JSON.parse(reply.text);
}

test("a field that an object does not know is ignored", async () => {
  const head = await call("AGGREGATE", "a", "head", { stream: "a", shard: { of: [1] } });
  assert.equal(head.reply.ok.version, 0);
  const status = await call("JOURNAL", "0", "status", { shard: 1 });
  assert.equal(status.reply.ok.end, 0);
  const wake = await call("CONSUMER", "c", "wake", { partition: 0, shard: 1 });
  assert.deepEqual(Object.keys(wake.reply), ["receipt"]);
});

test("a message that an object cannot read may be sent again", async () => {
  for (const [binding, name, method, message] of [
    ["AGGREGATE", "a", "head", {}],
    ["AGGREGATE", "a", "delete", { stream: 7 }],
    ["AGGREGATE", "a", "append", { stream: "a", expectedVersion: "any", events: "[]" }],
    ["JOURNAL", "0", "record", { stream: "a", base: 0, hidden: 0, deleted: false }],
    ["JOURNAL", "0", "feed", null],
    ["CONSUMER", "c", "wake", "0"],
  ] as const) {
    const outcome = await call(binding, name, method, message);
    const expected = { error: "TypeError: the message has another shape", retryable: true };
    assert.deepEqual(outcome, expected, `${method} ${JSON.stringify(message)}`);
  }
});

test("a method that an object does not have is named by the runtime", async () => {
  const { error } = await call("AGGREGATE", "a", "seal", {});
  assert.match(error, /does not implement the method "seal"/);
});
