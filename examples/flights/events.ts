// Events of flights, made by a generator: the same events on every platform and in every language.

import type { BoardEvent, Flight } from "./board.ts";

/** The number of events in a week of flights from the three airports of New York. */
export const WEEK = 12_134;

const SEED = 2013;
const ORIGINS = ["EWR", "JFK", "LGA"];
const DESTINATIONS = ["ATL", "BOS", "CLT", "DEN", "FLL", "IAH", "LAX", "MCO", "MIA", "ORD", "SFO"];
const CARRIERS = ["AA", "B6", "DL", "UA", "WN"];
const PLANES = 400;

/** Makes this number of events: the first ones of `flights`. */
export function flightEvents(count = WEEK): BoardEvent[] {
  const events: BoardEvent[] = [];
  for (const event of flights()) {
    if (events.length === count) break;
    events.push(event);
  }
  return events;
}

/** Makes events without an end. Every plane flies from New York and back, and of 200 flights about one is cancelled. */
export function* flights(): Generator<BoardEvent, never> {
  const random = new Random(SEED);
  /** The flight of each plane that is in the air. */
  const flying = new Map<number, Flight>();
  /** The airport of each plane on the ground, if it is not in New York. */
  const away = new Map<number, string>();
  while (true) {
    const plane = random.below(PLANES);
    const delayMinutes = random.below(60) - 15 + (random.below(20) === 0 ? random.below(300) : 0);
    const landing = flying.get(plane);
    if (landing !== undefined) {
      flying.delete(plane);
      if (ORIGINS.includes(landing.dest)) away.delete(plane);
      else away.set(plane, landing.dest);
      yield { type: "FlightArrived", data: { ...landing, delayMinutes } };
      continue;
    }
    const from = away.get(plane);
    const flight: Flight = {
      flight: `${random.one(CARRIERS)}${1 + random.below(2000)}`,
      plane: `N${10_000 + plane}`,
      origin: from ?? random.one(ORIGINS),
      dest: random.one(from === undefined ? DESTINATIONS : ORIGINS),
    };
    if (random.below(200) === 0) {
      yield { type: "FlightCancelled", data: flight };
    } else {
      flying.set(plane, flight);
      yield { type: "FlightDeparted", data: { ...flight, delayMinutes } };
    }
  }
}

/** Random numbers by a seed: mulberry32, whose operations are those of 32-bit numbers in every language. */
class Random {
  #state: number;

  constructor(seed: number) {
    this.#state = seed;
  }

  /** A whole number below `end`. */
  below(end: number): number {
    this.#state = (this.#state + 0x6d2b79f5) | 0;
    let mixed = Math.imul(this.#state ^ (this.#state >>> 15), 1 | this.#state);
    mixed = (mixed + Math.imul(mixed ^ (mixed >>> 7), 61 | mixed)) ^ mixed;
    return ((mixed ^ (mixed >>> 14)) >>> 0) % end;
  }

  one(of: readonly string[]): string {
    return of[this.below(of.length)] ?? "";
  }
}
