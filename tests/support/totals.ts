/** An aggregate that adds numbers up and refuses 13, and a reactor that sends each number to the total. */

import type { ConsumedEvent, ReactorContext } from "sillok";

export type Added = { type: "Added"; data: { n: number } };
export type Add = { type: "Add"; data: { n: number } };

export const TOTAL = "tally-total";

/** Makes both by the functions of the package or of the Worker. The reactor fails after its first command. */
export function totalsOf({
  aggregate,
  reactor,
  reject,
}: Pick<typeof import("sillok"), "aggregate" | "reactor" | "reject">) {
  const tally = aggregate<Added, Add, number>("tally", {
    initialState: () => 0,
    evolve: (sum, { data }) => sum + data.n,
    decide: ({ data }) => (data.n === 13 ? reject("unlucky", data) : { type: "Added", data }),
  });
  const totals = reactor<Added>("totals", {
    category: "tally",
    firstDelay: 1,
    on: {
      async Added({ stream, data }: ConsumedEvent<Added>, context: ReactorContext) {
        if (stream === TOTAL) return;
        const { events } = await context.execute(TOTAL, { type: "Add", data }, tally);
        if (context.attempt === 1) throw new Error("it fails after its command");
        await context.append("seen", { type: "Seen", data: events[0]?.data });
      },
    },
  });
  return { tally, totals };
}
