/** The platform may ring an alarm before its time. A timer never runs before its own. */

import assert from "node:assert/strict";
import { test } from "node:test";
import { fileURLToPath } from "node:url";

import { freshStream, useApi } from "../support/api.ts";
import { eventsUntil, keysRung, timersOf } from "../support/timers.ts";

const entry = fileURLToPath(import.meta.resolve("../support/bell-worker.ts"));
/** How early each alarm rings, in milliseconds. */
const EARLY = 400;
const api = useApi({ entry, vars: { SILLOK_AUTH: "off", EARLY: `${EARLY}` } });

test("a timer never runs before its time, although its alarm rings early", async (t) => {
  const streams = Array.from({ length: 5 }, () => freshStream("bell"));
  const waits = [600, 1100, 1600, 2100];
  await Promise.all(
    streams.map(async (stream) => {
      // After a start, the first request takes longer.
      await api.executed(stream, { type: "Note", data: { n: 0 } });
      const due = new Map(waits.map((wait) => [`${wait}`, Date.now() + wait]));
      for (const [key, at] of due) {
        await api.executed(stream, { type: "Set", data: { at, ring: { key } } });
      }
      const events = await eventsUntil(api, stream, (all) => keysRung(all).length === due.size);
      const rang = events.filter(({ type }) => type === "Rang");
      assert.deepEqual(keysRung(events).toSorted(), [...due.keys()].toSorted());
      for (const { data, time } of rang) {
        const at = due.get(data.key)!;
        assert(data.now >= at && Date.parse(time) >= at, `${data.key}: ${data.now - at} ms`);
      }
      assert.deepEqual(await timersOf(api, stream), []);
    }),
  );
  // The intended fault has happened.
  const early: string[] = (await api.request("/alarms")).json;
  assert(early.length > streams.length, `${early.length} alarms`);
  t.diagnostic(`${early.length} alarms rang ${EARLY} ms early`);
});
