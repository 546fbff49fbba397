/** Expected versions hold under any concurrency. */

import assert from "node:assert/strict";
import { test } from "node:test";

import { assertProblem, freshStream, numbered, useApi } from "../support/api.ts";

const api = useApi();
const WRITERS = 64;

test("of 64 writers with the same exact version, exactly one wins each version", async () => {
  const stream = freshStream();
  for (let version = 0; version < 5; version++) {
    const headers = { "If-Match": `"${version}"` };
    const attempts = Array.from({ length: WRITERS }, (_, writer) =>
      api.append(stream, { type: "Won", data: { version, writer } }, headers),
    );
    const replies = await Promise.all(attempts);
    const won = replies.filter((reply) => reply.status === 201);
    assert.deepEqual(
      won.map((reply) => reply.json.version),
      [version + 1],
    );
    for (const reply of replies.filter((reply) => reply.status !== 201)) {
      const problem = assertProblem(reply, 412, "wrong_expected_version");
      assert.deepEqual([problem.expected, problem.actual], [version, version + 1]);
    }
    const winner = replies.findIndex((reply) => reply.status === 201);
    const { events } = (await api.read(stream, `?from=${version + 1}`)).json;
    assert.deepEqual(
      events.map((event: any) => event.data),
      [{ version, writer: winner }],
    );
  }
});

test("of 64 writers of a new stream, one makes it", async () => {
  const stream = freshStream();
  const attempts = Array.from({ length: WRITERS }, () =>
    api.append(stream, numbered(3), { "If-None-Match": "*" }),
  );
  const statuses = (await Promise.all(attempts)).map((reply) => reply.status);
  assert.equal(statuses.filter((status) => status === 201).length, 1);
  assert.equal(statuses.filter((status) => status === 412).length, WRITERS - 1);
  assert.equal(await api.version(stream), 3);
});

test("64 writers that expect nothing all get in, each commit in one piece", async () => {
  const stream = freshStream();
  const attempts = Array.from({ length: WRITERS }, (_, writer) =>
    api.append(
      stream,
      [0, 1, 2].map((part) => ({ type: "Part", data: { writer, part } })),
    ),
  );
  const replies = await Promise.all(attempts);
  const firsts = replies.map((reply) => reply.json.firstVersion).sort((a, b) => a - b);
  assert.deepEqual(
    firsts,
    Array.from({ length: WRITERS }, (_, place) => 1 + 3 * place),
  );
  const { events, version } = (await api.read(stream)).json;
  assert.equal(version, 3 * WRITERS);
  for (const [place, event] of events.entries()) {
    assert.equal(event.version, place + 1);
    assert.equal(event.data.part, place % 3);
    assert.equal(event.data.writer, events[place - (place % 3)].data.writer);
  }
  const times = events.map((event: any) => event.time);
  assert.deepEqual(times, times.toSorted());
});

test("64 writers that retry with the reported version lose nothing", async () => {
  const stream = freshStream();
  const write = async (writer: number): Promise<void> => {
    let version = 0;
    for (let attempt = 0; attempt < 2 * WRITERS; attempt++) {
      const reply = await api.append(
        stream,
        { type: "A", data: writer },
        { "If-Match": `"${version}"` },
      );
      if (reply.status === 201) return;
      version = assertProblem(reply, 412, "wrong_expected_version").actual;
    }
    assert.fail("never got in");
  };
  await Promise.all(Array.from({ length: WRITERS }, (_, writer) => write(writer)));
  const { events } = (await api.read(stream)).json;
  assert.deepEqual(
    events.map((event: any) => event.data).sort((a: number, b: number) => a - b),
    Array.from({ length: WRITERS }, (_, writer) => writer),
  );
});
