/** A reactor that answers each question by what it reads: a stream, a state, and the environment of its Worker. */

import type { ConsumedEvent, ReactorContext } from "sillok";

import type { Add, Added } from "./totals.ts";

export type Question = {
  type: "Question";
  data: { of: string; answer: string; ending?: "read" | "load" };
};

/** The environment of the Worker. A program has none. */
export type Env = { readonly NAME: string } | undefined;

/** The number of events of the stream that the reactor reads: more than two pages. */
export const NUMBERS = 2500;

/** The aggregate and the reactor, made by the functions of the package or of the Worker. */
export function askingOf({
  aggregate,
  reactor,
}: Pick<typeof import("sillok"), "aggregate" | "reactor">) {
  const tally = aggregate<Added, Add, number>("tally", {
    initialState: () => 0,
    evolve: (sum, { data }) => sum + data.n,
    decide: ({ data }) => ({ type: "Added", data }),
  });
  const other = aggregate<Added, Add, number>("other", {
    initialState: () => 0,
    evolve: (sum) => sum,
    decide: () => [],
  });
  const codeOf = (promise: Promise<unknown>) =>
    promise.then(
      () => "none",
      ({ code }) => code,
    );
  const asking = reactor<Question, Env>("asking", {
    category: "question",
    firstDelay: 1,
    on: {
      async Question({ data }: ConsumedEvent<Question>, context: ReactorContext<Env>) {
        const { read, load, env, append } = context;
        const { of, answer, ending } = data;
        if (ending === "read") for await (const event of read(of)) void event;
        if (ending === "load") await load(of, other);
        const numbers: number[] = [];
        for await (const event of read<Added>(of)) numbers.push(event.data.n);
        const last: number[] = [];
        const options = { direction: "backward", limit: 2, type: "Added" } as const;
        for await (const { version } of read(of, options)) last.push(version);
        const none: unknown[] = [];
        for await (const event of read(`${of}-none`)) none.push(event);
        // A reader that stops early reads no further.
        for await (const { version } of read(of)) if (version === 3) break;
        const found = {
          count: numbers.length,
          sum: numbers.reduce((sum, n) => sum + n, 0),
          last,
          none,
          now: await load(of, tally),
          then: await load(of, tally, { version: 3 }),
          initial: await load(`${of}-none`, tally),
          plain: (await load("tally", tally)).version,
          env: env?.NAME ?? null,
          codes: [
            await codeOf(read(of, { limit: -1 }).next()),
            await codeOf(read("").next()),
            await codeOf(load(of, other)),
            await codeOf(load(of, {} as typeof tally)),
            await codeOf(load(of, tally, { version: 1_000_000 })),
          ],
        };
        await append(answer, { type: "Answer", data: found });
      },
    },
  });
  return { tally, asking };
}

/** The events of the stream that the reactor reads. Each has the number `n`. */
export function numbersOf(n: number, count = NUMBERS): Added[] {
  return Array.from({ length: count }, () => ({ type: "Added", data: { n } }));
}

/** The answer for a stream whose events have the number `n`. */
export function answerOf(n: number, env: string | null) {
  return {
    count: NUMBERS,
    sum: n * NUMBERS,
    last: [NUMBERS, NUMBERS - 1],
    none: [],
    now: { state: n * NUMBERS, version: NUMBERS },
    then: { state: 3 * n, version: 3 },
    initial: { state: 0, version: 0 },
    plain: 0,
    env,
    codes: [
      "invalid_parameter",
      "invalid_stream_id",
      "invalid_parameter",
      "invalid_parameter",
      "invalid_parameter",
    ],
  };
}
