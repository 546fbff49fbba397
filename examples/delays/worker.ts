/** Sillok with a projection in it: one document for each airport, with the minutes that flights left and came late. */

import { projection, sillok } from "sillok/worker";

type Flight = { flight: string; origin: string; dest: string };
type FlightEvent =
  | { type: "FlightDeparted"; data: Flight & { delayMinutes: number } }
  | { type: "FlightArrived"; data: Flight & { delayMinutes: number } }
  | { type: "FlightCancelled"; data: Flight };

/** What an airport's document has. Minutes of a flight that was early count below zero. */
interface Airport {
  departures: number;
  departureDelayMinutes: number;
  arrivals: number;
  arrivalDelayMinutes: number;
  cancelled: number;
}

const NONE: Airport = {
  departures: 0,
  departureDelayMinutes: 0,
  arrivals: 0,
  arrivalDelayMinutes: 0,
  cancelled: 0,
};

const delays = projection<FlightEvent, Airport>("delays", {
  category: "plane",
  on: {
    FlightDeparted({ data }, airports) {
      const airport = airports.get(data.origin) ?? NONE;
      airports.put(data.origin, {
        ...airport,
        departures: airport.departures + 1,
        departureDelayMinutes: airport.departureDelayMinutes + data.delayMinutes,
      });
    },
    FlightArrived({ data }, airports) {
      const airport = airports.get(data.dest) ?? NONE;
      airports.put(data.dest, {
        ...airport,
        arrivals: airport.arrivals + 1,
        arrivalDelayMinutes: airport.arrivalDelayMinutes + data.delayMinutes,
      });
    },
    FlightCancelled({ data }, airports) {
      const airport = airports.get(data.origin) ?? NONE;
      airports.put(data.origin, { ...airport, cancelled: airport.cancelled + 1 });
    },
  },
});

const app = sillok({ projections: [delays] });

export class Aggregate extends app.objects.Aggregate {}
export class Journal extends app.objects.Journal {}
export class Consumer extends app.objects.Consumer {}
export default app;
