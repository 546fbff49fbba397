import { board } from "../../examples/flights/board.ts";
import { flightEvents } from "../../examples/flights/events.ts";
import expected from "../../examples/flights/expected.json" with { type: "json" };
import { hashOf } from "../support/hashes.ts";
import type { Behaviours } from "./behaviour.ts";
import { same } from "./check.ts";

/** The most events of one append. */
const AT_ONCE = 1000;

/** The example of flights: its state is the same on every platform. */
export const flying: Behaviours = {
  async "a week of flights has the same state on every platform"({ EventStore }) {
    const events = flightEvents();
    same([events.length, await hashOf(events)], [expected.events, expected.eventsSha256]);
    const store = new EventStore();
    for (let from = 0; from < events.length; from += AT_ONCE) {
      await store.append("board-1", events.slice(from, from + AT_ONCE));
    }
    const { state, version } = await store.load("board-1", board);
    same([version, await hashOf(state)], [expected.events, expected.stateSha256]);
    const [flight] = state.inTheAir;
    if (flight === undefined) throw new Error("no plane is in the air");
    const arrive = { type: "Arrive", data: { ...flight, delayMinutes: 5 } } as const;
    same((await store.execute("board-1", arrive, board)).version, version + 1);
    const again = await store.attempt("board-1", arrive, board);
    same(!again.accepted && again.rejection.code, "not_in_the_air");
  },
};
