// The departure board of an airport system, as an aggregate. The file imports nothing of a platform: it runs in a page, in Node
// and in a Worker, and gives the same state everywhere.

import { aggregate, reject } from "sillok";

/** A flight of a plane from one airport to another. */
export interface Flight {
  readonly flight: string;
  readonly plane: string;
  readonly origin: string;
  readonly dest: string;
}

/** A flight that has left or reached an airport, with its delay. A negative delay is early. */
export interface Moved extends Flight {
  readonly delayMinutes: number;
}

export type BoardEvent =
  | { readonly type: "FlightDeparted"; readonly data: Moved }
  | { readonly type: "FlightArrived"; readonly data: Moved }
  | { readonly type: "FlightCancelled"; readonly data: Flight };

export type BoardCommand =
  | { readonly type: "Depart"; readonly data: Moved }
  | { readonly type: "Arrive"; readonly data: Moved }
  | { readonly type: "Cancel"; readonly data: Flight };

/** The flights of one airport. */
export interface Airport {
  readonly code: string;
  readonly departed: number;
  readonly arrived: number;
  readonly cancelled: number;
  /** The sum of the delays of its arrivals and departures. */
  readonly delayMinutes: number;
  /** The longest delay, and its flight. */
  readonly worst: { readonly flight: string; readonly minutes: number } | null;
}

/** The board: airports in the order of their first flight, and the planes in the air in the order of their departure. */
export interface Board {
  readonly airports: readonly Airport[];
  readonly inTheAir: readonly Flight[];
}

const NEW: Omit<Airport, "code"> = {
  departed: 0,
  arrived: 0,
  cancelled: 0,
  delayMinutes: 0,
  worst: null,
};

export const board = aggregate<BoardEvent, BoardCommand, Board>("board", {
  initialState: () => ({ airports: [], inTheAir: [] }),

  evolve({ airports, inTheAir }, { type, data }) {
    switch (type) {
      case "FlightDeparted": {
        const { delayMinutes, ...flight } = data;
        return {
          airports: changed(airports, data.origin, (airport) => ({
            ...delayed(airport, data),
            departed: airport.departed + 1,
          })),
          inTheAir: [...inTheAir, flight],
        };
      }
      case "FlightArrived":
        return {
          airports: changed(airports, data.dest, (airport) => ({
            ...delayed(airport, data),
            arrived: airport.arrived + 1,
          })),
          inTheAir: inTheAir.filter(({ plane }) => plane !== data.plane),
        };
      case "FlightCancelled":
        return {
          airports: changed(airports, data.origin, (airport) => ({
            ...airport,
            cancelled: airport.cancelled + 1,
          })),
          inTheAir,
        };
    }
  },

  decide({ type, data }, { inTheAir }) {
    const flying = inTheAir.find(({ plane }) => plane === data.plane);
    if (type === "Arrive") {
      return flying?.flight === data.flight
        ? { type: "FlightArrived", data }
        : reject("not_in_the_air");
    }
    if (flying !== undefined) return reject("in_the_air", { flight: flying.flight });
    return type === "Depart" ? { type: "FlightDeparted", data } : { type: "FlightCancelled", data };
  },
});

/** The airports, with a change of one. A new airport comes last. */
function changed(
  airports: readonly Airport[],
  code: string,
  change: (airport: Airport) => Airport,
): readonly Airport[] {
  const place = airports.findIndex((airport) => airport.code === code);
  const airport = airports[place];
  return airport === undefined
    ? [...airports, change({ code, ...NEW })]
    : airports.with(place, change(airport));
}

function delayed(airport: Airport, { flight, delayMinutes: minutes }: Moved): Airport {
  const { delayMinutes, worst } = airport;
  const isWorse = minutes > 0 && minutes > (worst?.minutes ?? 0);
  return {
    ...airport,
    delayMinutes: delayMinutes + minutes,
    worst: isWorse ? { flight, minutes } : worst,
  };
}
