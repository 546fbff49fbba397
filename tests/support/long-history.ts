/** A long history of flights. With `SILLOK_SOAK=on` it has a million events. */

import expected from "../../examples/flights/expected.json" with { type: "json" };
import { soak } from "./soak.ts";

/** The number of its events. */
export const EVENTS = soak(50_000, 1_000_000);
/** The hash of its state. */
export const STATE_SHA256: string = expected.longer[EVENTS];

/** A load stores a snapshot after so many events. */
export const INTERIM = 20_000;

/** With a million events, a test takes some minutes. */
export const LONGEST = { timeout: Math.max(300_000, EVENTS * 2) };

/** All events as bytes or as text of JavaScript are more than that, if there are a million of them. */
export const MOST_MEMORY_GROWTH = 256 * 1024 * 1024;
