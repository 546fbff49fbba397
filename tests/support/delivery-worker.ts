/**
 * A Worker of your own with a process that follows the events of carts. It notes each event that reaches an instance, so that a
 * duplicate would be visible. A depot fails until it is mended.
 */

import { z } from "zod";

import { aggregate, process, reject, send, sillok } from "../../worker/index.ts";

const none = z.object({});

const depot = aggregate("depot", {
  events: { Mended: none, Picked: z.object({ delivery: z.string() }) },
  commands: { Mend: none, Pick: z.object({ delivery: z.string(), broken: z.boolean() }) },
  initialState: () => ({ mended: false }),
  evolve: { Mended: () => ({ mended: true }), Picked: (state) => state },
  decide: {
    Mend: () => ({ type: "Mended", data: {} }),
    Pick({ delivery, broken }, { mended }) {
      if (broken && !mended) throw new Error("the depot is broken");
      return delivery.startsWith("refused")
        ? reject("sold_out", { delivery })
        : { type: "Picked", data: { delivery } };
    },
  },
});

type Placed = {
  type: "Placed";
  data: { delivery: string | null; poison?: boolean; broken?: boolean };
};
type Changed = { type: "Changed"; data: { delivery: string; n: number } };
type Event =
  | { type: "Started" | "Picked" | "Finished" }
  | { type: "Refused"; data: { code: string } }
  | { type: "Noted"; data: { n: number } };
type State = { started: number; status: string; notes: number[] };

const delivery = process<Event, { type: "Finish" }, State, never, Placed | Changed>("delivery", {
  category: "cart",
  attempts: 3,
  firstDelay: 20,
  longestDelay: 50,
  initialState: () => ({ started: 0, status: "new", notes: [] }),
  evolve(state, event) {
    switch (event.type) {
      case "Started":
        return { ...state, status: "started", started: state.started + 1 };
      case "Noted":
        return { ...state, notes: [...state.notes, event.data.n] };
      default:
        return { ...state, status: event.type.toLowerCase() };
    }
  },
  decide: () => ({ type: "Finished" }),
  prepare(command) {
    if (command.type === "Finish") return command;
    throw new Error("`prepare` is for commands, not for events");
  },
  starts: { Placed: ({ data }) => data.delivery ?? undefined },
  on: {
    Placed({ data }, { started }, { stream }) {
      if (data.poison) throw new Error("a poisoned event");
      if (started > 0) return { type: "Started" };
      const id = stream.slice("delivery-".length);
      const pick = { delivery: id, broken: data.broken === true };
      return [{ type: "Started" }, send("pick", depot, "1", { type: "Pick", data: pick })];
    },
    Changed: {
      instance: ({ data }) => data.delivery,
      decide: ({ data }) => ({ type: "Noted", data: { n: data.n } }),
    },
  },
  answered: {
    pick: (answer) =>
      answer.accepted
        ? { type: "Picked" }
        : { type: "Refused", data: { code: answer.rejection.code } },
  },
  ended: ({ status }) => status === "finished" || status === "refused",
});

const app = sillok({ aggregates: [depot], processes: [delivery] });

export class Aggregate extends app.objects.Aggregate {}
export class Journal extends app.objects.Journal {}
export class Consumer extends app.objects.Consumer {}
export default app;
