/**
 * A Worker with a reactor whose handler may never end, one whose appends are refused, and one that begins where a feed of two
 * partitions has no place.
 */

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

/** Nobody waits for its second attempt. */
const refused = reactor<{ type: "Large" | "Invalid" | "Taken" }>("refused", {
  category: "refuse",
  firstDelay: 3_600_000,
  longestDelay: 3_600_000,
  on: {
    Large: (_, { append }) => append("large-1", { type: "Filled", data: "x".repeat(1 << 20) }),
    Invalid: (_, { append }) => append("invalid-1", { type: "" }),
    Taken: ({ stream }, { append }) => append(stream.replace("refuse", "taken"), { type: "Seen" }),
  },
});

const displaced = reactor("displaced", { after: "0", on: () => {} });

const app = sillok({ reactors: [patient, refused, displaced] });

export const { Aggregate, Journal, Consumer } = app.objects;

export default app;
