/** The handler of a reactor, most of whose appends fail at the first attempt, before they are sent. */

import type { ConsumedEvent, ReactorContext } from "sillok";

export type Said = { type: "Said"; data?: unknown };

/** The streams to which it appends. The first attempt appends only to the last one. */
export const told = ["told-1", "told-2", "told-3", "told-4"];

export const telling = {
  category: "say",
  firstDelay: 1,
  on: {
    async Said({ stream }: ConsumedEvent<Said>, { append, attempt }: ReactorContext) {
      const isFirst = attempt === 1;
      const tell = (place: number, to: string, n: number, options?: object) =>
        append(to, { type: "Told", data: { stream, place, n } }, options);
      const [one = "", two = "", three = "", four = ""] = told;
      await tell(1, one, isFirst ? NaN : 0).catch(() => undefined);
      await tell(2, two, 0, isFirst ? { unknown: true } : {}).catch(() => undefined);
      await tell(3, isFirst ? "" : three, 0).catch(() => undefined);
      await tell(4, four, 0);
      if (isFirst) throw new Error("it fails after the fourth");
    },
  },
} as const;
