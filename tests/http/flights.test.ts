/** The example of flights in the object: its state is the same as in a page, in Node and in Rust. */

import assert from "node:assert/strict";
import { test } from "node:test";
import { fileURLToPath } from "node:url";

import { flightEvents } from "../../examples/flights/events.ts";
import expected from "../../examples/flights/expected.json" with { type: "json" };
import { assertProblem, freshStream, useApi } from "../support/api.ts";
import { hashOf } from "../support/hashes.ts";

const entry = fileURLToPath(import.meta.resolve("../support/flights-worker.ts"));
const api = useApi({ entry });
/** The most events of one append. */
const AT_ONCE = 1000;

test("a week of flights has the same state in the object as on every platform", async () => {
  const stream = freshStream("board");
  const events = flightEvents();
  assert.deepEqual([events.length, await hashOf(events)], [expected.events, expected.eventsSha256]);
  for (let from = 0; from < events.length; from += AT_ONCE) {
    await api.appended(stream, events.slice(from, from + AT_ONCE));
  }
  const hasTheState = async () => {
    const { version, state } = (await api.state(stream)).json;
    assert.deepEqual([version, await hashOf(state)], [expected.events, expected.stateSha256]);
    return state;
  };
  const { inTheAir } = await hasTheState();
  await api.server.evict(stream);
  await hasTheState();
  const arrive = { type: "Arrive", data: { ...inTheAir[0], delayMinutes: 5 } };
  assert.equal((await api.executed(stream, arrive)).version, expected.events + 1);
  const again = assertProblem(await api.execute(stream, arrive), 422, "command_rejected");
  assert.deepEqual(again.rejection, { code: "not_in_the_air" });
});
