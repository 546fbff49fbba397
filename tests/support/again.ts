/** What happens when a reactor's handler runs again and comes to another decision. */

import type { ConsumedEvent, ReactorContext } from "sillok";

import type { Add, Added } from "./totals.ts";

/** An act of a handler: the name, a stream, and the number in the event or in the command. */
export type Act = readonly [
  name: "append" | "append after 99" | "execute" | "read" | "load" | "withdraw or refuse",
  stream: string,
  n: number,
];

/** The event tells the handler what to do in each attempt. The handler fails after each attempt but the last one. */
export type Asked = {
  type: "Asked";
  data: { attempts: (readonly Act[])[]; outcomes: string; throws: boolean };
};

/** The result of an act: the version and whether it is a repeat, or the code of the error. */
export type Outcome = readonly [version: number, replayed: boolean] | string;

/** A handler that runs twice. */
export interface Again {
  readonly attempts: [readonly Act[], readonly Act[]];
  /** The results of the acts of the second attempt. */
  readonly outcomes: readonly Outcome[];
  /** The numbers of the events of each stream afterwards. */
  readonly streams: Readonly<Record<string, readonly number[]>>;
}

const a1: Act = ["append", "a", 1];
const b1: Act = ["append", "b", 1];
const add1: Act = ["execute", "tally", 1];

/** The cases by what the second attempt does. */
export const AGAIN: Readonly<Record<string, Again>> = {
  "the same append is not written again": {
    attempts: [[a1], [a1]],
    outcomes: [[1, true]],
    streams: { a: [1] },
  },
  "other events for the same stream are not written": {
    attempts: [[a1], [["append", "a", 2]]],
    outcomes: [[1, true]],
    streams: { a: [1] },
  },
  "a condition that no longer holds does not matter to a repeated append": {
    attempts: [[a1], [["append after 99", "a", 2]]],
    outcomes: [[1, true]],
    streams: { a: [1] },
  },
  "an append to another stream is written, and the first one remains": {
    attempts: [[a1], [b1]],
    outcomes: [[1, false]],
    streams: { a: [1], b: [1] },
  },
  "acts that are left out at the end remain": {
    attempts: [[a1, b1], [a1]],
    outcomes: [[1, true]],
    streams: { a: [1], b: [1] },
  },
  "acts that are added at the end are carried out": {
    attempts: [[a1], [a1, b1, ["append", "a", 2]]],
    outcomes: [
      [1, true],
      [1, false],
      [2, false],
    ],
    streams: { a: [1, 2], b: [1] },
  },
  "after an act that is added before them, acts have other numbers and are carried out twice": {
    attempts: [
      [a1, b1],
      [["append", "c", 0], a1, b1],
    ],
    outcomes: [
      [1, false],
      [2, false],
      [2, false],
    ],
    streams: { a: [1, 1], b: [1, 1], c: [0] },
  },
  "after an act that is left out before it, an act has another number and is carried out twice": {
    attempts: [[a1, b1], [b1]],
    outcomes: [[2, false]],
    streams: { a: [1], b: [1, 1] },
  },
  "an append that was refused is attempted again, with other events": {
    attempts: [[["append after 99", "a", 1]], [["append", "a", 2]]],
    outcomes: [[1, false]],
    streams: { a: [2] },
  },
  "the same command gets its first outcome": {
    attempts: [[add1], [add1]],
    outcomes: [[1, true]],
    streams: { tally: [1] },
  },
  "another command to the same stream is refused": {
    attempts: [[add1], [["execute", "tally", 2]]],
    outcomes: ["idempotency_key_reused"],
    streams: { tally: [1] },
  },
  "the same command gets its rejection again": {
    attempts: [[["execute", "tally", 13]], [["execute", "tally", 13]]],
    outcomes: ["command_rejected"],
    streams: { tally: [] },
  },
  "another command in place of a rejected one is refused": {
    attempts: [[["execute", "tally", 13]], [add1]],
    outcomes: ["idempotency_key_reused"],
    streams: { tally: [] },
  },
  "a command to another stream is decided, and the first one remains": {
    attempts: [[add1], [["execute", "tally-other", 1]]],
    outcomes: [[1, false]],
    streams: { tally: [1], "tally-other": [1] },
  },
  "a command in place of an append is decided, and the append remains": {
    attempts: [[["append", "tally", 1]], [add1]],
    outcomes: [[2, false]],
    streams: { tally: [1, 1] },
  },
  "an append in place of a command is written, and the command remains": {
    attempts: [[add1], [["append", "tally", 2]]],
    outcomes: [[2, false]],
    streams: { tally: [1, 2] },
  },
  "reads and loads have no number": {
    attempts: [
      [a1, b1],
      [["read", "a", 0], ["load", "tally", 0], a1, ["read", "b", 0], b1],
    ],
    outcomes: [
      [1, true],
      [1, true],
    ],
    streams: { a: [1], b: [1] },
  },
  "a handler that decides by a state withdraws, and also says that it does not": {
    attempts: [
      [
        ["append", "tally", 5],
        ["withdraw or refuse", "tally", 5],
      ],
      [
        ["append", "tally", 5],
        ["withdraw or refuse", "tally", 5],
      ],
    ],
    outcomes: [
      [1, true],
      [1, false],
    ],
    streams: { tally: [5, -5], "tally-refused": [5] },
  },
};

/** The aggregate and the reactor, made by the functions of the package or of the Worker. */
export function actingOf({
  aggregate,
  reactor,
  reject,
}: Pick<typeof import("sillok"), "aggregate" | "reactor" | "reject">) {
  const tally = aggregate<Added, Add, number>("tally", {
    initialState: () => 0,
    evolve: (sum, { data }) => sum + data.n,
    decide: ({ data }) => (data.n === 13 ? reject("unlucky", data) : { type: "Added", data }),
  });
  type Acts = Record<Act[0], (stream: string, n: number) => Promise<unknown>>;
  const actsBy = ({ append, execute, read, load }: ReactorContext): Acts => {
    const acts: Acts = {
      append: (stream, n) => append(stream, { type: "Added", data: { n } }),
      "append after 99": (stream, n) =>
        append(stream, { type: "Added", data: { n } }, { expectedVersion: 99 }),
      execute: (stream, n) => execute(stream, { type: "Add", data: { n } }, tally),
      async read(stream) {
        for await (const event of read(stream)) void event;
      },
      load: async (stream) => void (await load(stream, tally)),
      async "withdraw or refuse"(stream, n) {
        const { state } = await load(stream, tally);
        return state >= n ? acts.execute(stream, -n) : acts.append(refusedOf(stream), n);
      },
    };
    return acts;
  };
  const acting = reactor<Asked>("acting", {
    category: "ask",
    firstDelay: 1,
    on: {
      async Asked({ data }: ConsumedEvent<Asked>, context: ReactorContext) {
        const acts = actsBy(context);
        const outcomes: unknown[] = [];
        for (const [name, stream, n] of data.attempts[context.attempt - 1] ?? []) {
          const done = acts[name](stream, n) as Promise<any>;
          const outcome = await done.catch((error) => {
            if (data.throws && context.attempt > 1) throw error;
            return error.code;
          });
          if (typeof outcome === "string") outcomes.push(outcome);
          else if (outcome !== undefined) outcomes.push([outcome.version, outcome.replayed]);
        }
        if (context.attempt < data.attempts.length) throw new Error("it is handled again");
        await context.append(data.outcomes, { type: "Acted", data: outcomes });
      },
    },
  });
  return { tally, acting };
}

/** `tally-refused-3` for the stream `tally-3`. */
function refusedOf(stream: string): string {
  return stream.replace("tally", "tally-refused");
}

/** The event for a case. All streams of the case end in `-` and this number. */
export function askedOf(
  { attempts }: Pick<Again, "attempts">,
  place: number,
  throws = false,
): Asked {
  const named = attempts.map((acts) =>
    acts.map(([name, stream, n]): Act => [name, `${stream}-${place}`, n]),
  );
  return { type: "Asked", data: { attempts: named, outcomes: `outcomes-${place}`, throws } };
}

/** Another command under the id of the first one, after which the handler ends with the error. */
export const REUSED: Pick<Again, "attempts"> = {
  attempts: [[add1], [["execute", "tally", 2]]],
};
