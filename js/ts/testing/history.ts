import type { Aggregate, EventOf } from "../aggregate/types.js";

/** A stored event of an older schema version, or of a type that the aggregate does not declare. */
export interface StoredEvent {
  /** The type of the event. */
  readonly type: string;
  /** The schema version of the data. */
  readonly schemaVersion: number;
  /** The content of the event. */
  readonly data?: unknown;
}

/** The events of a stream, from version 1. An event without `schemaVersion` has the newest. */
export type History<A extends Aggregate> = readonly (EventOf<A> | StoredEvent)[];
