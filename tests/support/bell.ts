/** An aggregate that sets timers, for tests. The file imports nothing of a platform. */

import { z } from "zod";

import { aggregate } from "../../js/ts/aggregate/aggregate.ts";
import { cancel, schedule } from "../../js/ts/aggregate/pending.ts";
import { reject } from "../../js/ts/aggregate/reject.ts";

/**
 * What the command of a timer does beside an event: it is rejected, it throws until the bell is mended, it removes the timer
 * that it names, or it sets itself again after so many milliseconds.
 */
const ring = z.object({
  key: z.string(),
  rejects: z.boolean().optional(),
  throws: z.boolean().optional(),
  cancels: z.string().optional(),
  again: z.number().optional(),
});
const key = z.object({ key: z.string() });
const set = z.object({ at: z.number(), ring });

export const bell = aggregate("bell", {
  snapshotEvery: false,
  events: {
    Set: set,
    ManySet: z.object({ count: z.number(), at: z.number() }),
    Cancelled: key,
    Rang: z.object({ key: z.string(), now: z.number() }),
    Noted: z.object({ n: z.number() }),
    Mended: z.object({}),
  },
  commands: {
    Set: set,
    /** Sets so many timers, without an event for each. */
    SetMany: z.object({ count: z.number(), at: z.number() }),
    Cancel: key,
    Ring: ring,
    Note: z.object({ n: z.number() }),
    Mend: z.object({}),
  },
  initialState: () => ({ rang: 0, noted: 0, mended: false }),
  evolve: {
    Set: (state) => state,
    ManySet: (state) => state,
    Cancelled: (state) => state,
    Rang: (state) => ({ ...state, rang: state.rang + 1 }),
    Noted: (state, { n }) => ({ ...state, noted: n }),
    Mended: (state) => ({ ...state, mended: true }),
  },
  decide: {
    Set: (data) => [
      { type: "Set", data },
      schedule(data.ring.key, data.at, { type: "Ring", data: data.ring }),
    ],
    SetMany: ({ count, at }) => [
      { type: "ManySet", data: { count, at } },
      ...Array.from({ length: count }, (_, n) =>
        schedule(`${n}`, at, { type: "Ring", data: { key: `${n}` } }),
      ),
    ],
    Cancel: (data) => [{ type: "Cancelled", data }, cancel(data.key)],
    Ring(ring, { mended }, { now }) {
      if (ring.rejects) return reject("quiet_please", { key: ring.key });
      if (ring.throws && !mended) throw new RangeError("a secret of the bell");
      return [
        { type: "Rang", data: { key: ring.key, now } },
        ...(ring.cancels === undefined ? [] : [cancel(ring.cancels)]),
        ...(ring.again === undefined
          ? []
          : [schedule(ring.key, now + ring.again, { type: "Ring", data: { key: ring.key } })]),
      ];
    },
    Note: (data) => ({ type: "Noted", data }),
    Mend: () => ({ type: "Mended", data: {} }),
  },
});
