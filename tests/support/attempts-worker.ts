/** A Worker with a reactor whose handler may never end, and one that begins where a feed of two partitions has no place. */

import { reactor, sillok } from "../../worker/index.ts";

const patient = reactor<{ type: "Ended" | "Endless" }>("patient", {
  category: "waited",
  attempts: 2,
  firstDelay: 10,
  longestDelay: 10,
  timeout: 200,
  on: {
    Ended: ({ stream }, { append }) => append(stream.replace("waited", "seen"), { type: "Seen" }),
    Endless: () => new Promise(() => {}),
  },
});

const displaced = reactor("displaced", { after: "0", on: () => {} });

const app = sillok({ reactors: [patient, displaced] });

export const { Aggregate, Journal, Consumer } = app.objects;

export default app;
