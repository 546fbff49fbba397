/**
 * workerd is killed at random moments while several writers append. All acknowledged events are stored, and no others.
 */

import assert from "node:assert/strict";
import { test } from "node:test";
import { setTimeout as sleep } from "node:timers/promises";

import { Api, eventsPath, numbered, streamPath } from "../support/api.ts";
import { soak } from "../support/soak.ts";

const ROUNDS = soak(15, 50);
const STREAMS = ["account-1", "account-2", "account-3"];
const WRITERS_PER_STREAM = 2;
const PER_COMMIT = 3;
/** The longest time for which writers append in a round, in milliseconds. */
const LONGEST = 240;

/** The state of one stream's writers: the answered versions, by idempotency key. */
type Acknowledged = Map<string, number>;

const api = new Api();

/** Appends at any version until the server is gone, and reports each answer. */
async function write(
  stream: string,
  writer: string,
  acknowledged: Acknowledged,
  answered: () => void,
): Promise<void> {
  for (let count = 1; ; count += 1) {
    const key = `${writer}-${count}`;
    const reply = await api
      .append(stream, numbered(PER_COMMIT, count), { "Idempotency-Key": key })
      .catch(() => undefined);
    if (reply?.status !== 201) return;
    acknowledged.set(key, reply.json.version);
    answered();
  }
}

/** Checks that the stream is whole, and that each acknowledged append is there once, at its version. */
async function check(stream: string, acknowledged: Acknowledged): Promise<void> {
  const found = await api.request(`${streamPath(stream)}/verify`);
  assert.equal(found.json.intact, true, found.text);
  assert.equal(found.json.version % PER_COMMIT, 0, "no half commit");
  assert.equal(found.json.version, found.json.commits * PER_COMMIT);
  const last = Math.max(0, ...acknowledged.values());
  assert.ok(found.json.version >= last, `version ${found.json.version}, but ${last} was answered`);
  assert.equal(
    new Set(acknowledged.values()).size,
    acknowledged.size,
    "no version was given twice",
  );
  for (const [key, version] of [...acknowledged].slice(-2)) {
    const count = Number(key.split("-").at(-1));
    const again = await api.append(stream, numbered(PER_COMMIT, count), { "Idempotency-Key": key });
    assert.deepEqual([again.json.replayed, again.json.version], [true, version], again.text);
  }
}

test(`nothing acknowledged is lost in ${ROUNDS} kills`, async (t) => {
  await api.start();
  t.after(() => api.stop());
  const known = new Map(STREAMS.map((stream): [string, Acknowledged] => [stream, new Map()]));
  let cut = 0;
  for (let round = 1; round <= ROUNDS; round += 1) {
    const { promise: first, resolve: answered } = Promise.withResolvers<void>();
    const writing = [...known].flatMap(([stream, acknowledged]) =>
      Array.from({ length: WRITERS_PER_STREAM }, (_, writer) =>
        write(stream, `${round}-${writer}`, acknowledged, answered),
      ),
    );
    // Some are killed before the first answer, if that takes a while.
    if (round % 5 > 0) await first;
    await sleep(Math.random() * LONGEST);
    await api.server.kill();
    await Promise.all(writing);
    await api.server.restart();
    for (const [stream, acknowledged] of known) {
      await check(stream, acknowledged);
      const { json } = await api.request(`${eventsPath(stream)}?direction=backward&limit=1`);
      // A committed append may have lost its answer.
      if (json.version > Math.max(0, ...acknowledged.values())) cut += 1;
    }
  }
  const answered = [...known.values()].reduce((sum, acknowledged) => sum + acknowledged.size, 0);
  t.diagnostic(`${answered} appends were answered; ${cut} times one was committed unanswered`);
  assert.ok(answered >= ROUNDS * 0.8, `${answered} answers`);
});
