/** An aggregate whose code does what it must not do. */

import { z } from "zod";

import { aggregate } from "../../js/ts/aggregate/aggregate.ts";
import { reject } from "../../js/ts/aggregate/reject.ts";

/** The faults of `decide`, by their names. */
const faults: Readonly<Record<string, (state: { done: number }) => unknown>> = {
  mutates(state) {
    state.done = 7;
  },
  throws() {
    throw new RangeError("a secret of the rogue");
  },
  "never returns"() {
    for (;;);
  },
  "returns nothing": () => undefined,
  "returns a promise": () => Promise.resolve([]),
  "is not declared": () => ({ type: "Vanished", data: {} }),
  "has a wrong shape": () => [
    { type: "Done", data: { times: 1 } },
    { type: "Done", data: { times: "two" } },
  ],
  "has a field too many": () => ({ type: "Done", data: { times: 1, more: true } }),
  "has a date": () => ({ type: "Noted", data: { value: new Date(0) } }),
  "has no number": () => ({ type: "Noted", data: { value: NaN } }),
  "has a map": () => ({ type: "Noted", data: { value: new Map() } }),
  "has a bigint": () => ({ type: "Noted", data: { value: 1n } }),
  "has an async schema": () => ({ type: "Slow", data: {} }),
  "breaks evolve": () => [
    { type: "Done", data: { times: 1 } },
    { type: "Broken", data: {} },
  ],
};

export const rogue = aggregate("rogue", {
  snapshotEvery: 5,
  events: {
    Done: z.object({ times: z.number().default(1) }),
    Noted: z.object({ value: z.unknown() }),
    Slow: z.object({}).refine(async () => true),
    Broken: z.object({}),
    Grown: z.object({ bytes: z.number() }),
  },
  commands: {
    Do: z.object({ fault: z.string().optional(), times: z.number().optional() }),
    Grow: z.object({ bytes: z.number() }),
  },
  initialState: () => ({ done: 0, ballast: "" }),
  evolve: {
    Done: (state, { times }) => ({ ...state, done: state.done + times }),
    Noted: (state) => state,
    Slow: (state) => state,
    Broken() {
      throw new TypeError("a broken fold");
    },
    Grown: (state, { bytes }) => ({ ...state, ballast: "x".repeat(bytes) }),
  },
  decide: {
    Do({ fault, times = 1 }, state) {
      if (times > 100) return reject("too_often");
      if (fault === undefined) return { type: "Done", data: { times } };
      return faults[fault]?.(state) as [];
    },
    Grow: (data) => ({ type: "Grown", data }),
  },
});

/** An aggregate that skips stored events of types that it does not declare. */
export const tolerant = aggregate("tolerant", {
  unknownEvents: "skip",
  events: { Done: z.object({}) },
  commands: { Do: z.object({}) },
  initialState: () => ({ done: 0 }),
  evolve: { Done: ({ done }) => ({ done: done + 1 }) },
  decide: { Do: () => ({ type: "Done", data: {} }) },
});
