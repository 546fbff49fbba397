/** Many events of flights, on every platform. */

import type { BoardEvent } from "../../examples/flights/board.ts";
import { flights } from "../../examples/flights/events.ts";

/** The most events of one append. */
const AT_ONCE = 1000;

/** Makes this number of events in parts, each for one append. No more than one part is in memory. */
export function* flightParts(count: number): Generator<BoardEvent[]> {
  const events = flights();
  for (let from = 0; from < count; from += AT_ONCE) {
    const length = Math.min(AT_ONCE, count - from);
    yield Array.from({ length }, () => events.next().value);
  }
}
