/**
 * A Worker with three reactors: the handler of the first may never return, the appends of the second are refused, and the third
 * begins at a place that a feed of two partitions does not have.
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

/** Its second attempt comes after the end of the tests. */
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

export class Aggregate extends app.objects.Aggregate {}
export class Journal extends app.objects.Journal {}
export class Consumer extends app.objects.Consumer {}

export default app;
