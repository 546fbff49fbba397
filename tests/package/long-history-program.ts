// The long history, on every platform that has stores of its own.

import { aggregate, type EventStore } from "sillok";

import {
  type Board,
  board,
  type BoardCommand,
  type BoardEvent,
} from "../../examples/flights/board.ts";
import { flightParts } from "../support/flight-parts.ts";
import { hashOf } from "../support/hashes.ts";

/** What a program has found. */
export interface Found {
  /** The version and the hash of the loaded state. */
  readonly version: number;
  readonly hash: string;
  /** The events that were folded for the state, and for a command after it. */
  readonly folded: number;
  readonly foldedByCommand: number;
  /** The version after the command. */
  readonly next: number;
}

/** Appends this number of events, a part at a time. */
export async function fill(store: EventStore, events: number): Promise<void> {
  for (const part of flightParts(events)) await store.append("board-1", part);
}

/** Loads the state, and executes a command. `seen` is called before each event is folded, with the number of those before it. */
export async function use(store: EventStore, seen: (folded: number) => void): Promise<Found> {
  let folded = 0;
  const { initialState, evolve, decide } = board;
  const counted = aggregate<BoardEvent, BoardCommand, Board>("board", {
    initialState,
    decide: (command, state, context) => decide(command as never, state as never, context) as never,
    evolve(state, event) {
      seen(folded);
      folded += 1;
      return evolve(state as never, event as never) as Board;
    },
  });
  const { state, version } = await store.load("board-1", counted);
  const loaded = folded;
  const [flight] = state.inTheAir;
  if (flight === undefined) throw new Error("no plane is in the air");
  const arrive = { type: "Arrive", data: { ...flight, delayMinutes: 5 } } as const;
  const { version: next } = await store.execute("board-1", arrive, counted);
  const hash = await hashOf(state);
  return { version, hash, folded: loaded, foldedByCommand: folded - loaded, next };
}
