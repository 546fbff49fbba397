import type { AggregateId, SavedEvent } from "./events.js";

/** Where a gateway finds events: an {@link EventStore}, or a stand-in. */
export interface EventSource {
  /** The events of an aggregate, the oldest first. */
  findEventsByAggregateId(id: AggregateId): Iterable<object>;
}

/** Who a gateway hands events to: an {@link EventHandler}, or a stand-in. */
export interface EventSink<E extends object = SavedEvent> {
  /** Handles one event. */
  handleEvent(event: E): void;
}

/**
 * Connects a store and a handler.
 *
 * @example
 * ```ts
 * import { EventGateway, EventHandler, EventStore } from "sillok";
 *
 * const store = new EventStore();
 * store.saveEvent({ aggregateId: "1", type: "Opened" });
 * store.saveEvent({ aggregateId: "2", type: "Opened" });
 * const gateway = new EventGateway(store, new EventHandler());
 * gateway.processEventsByAggregateId("1");
 * // prints: Handling event: Opened {"aggregateId":"1","type":"Opened"}
 * ```
 */
export class EventGateway<E extends object = SavedEvent> {
  readonly #store: EventSource;
  readonly #handler: EventSink<E>;

  /** A gateway that takes events from `store` to `handler`. */
  constructor(store: EventSource, handler: EventSink<E>) {
    this.#store = store;
    this.#handler = handler;
  }

  /**
   * Hands every event of the aggregate to the handler, the oldest first, one after the other.
   *
   * Events that are saved meanwhile, also by the handler, are left for the next time. An error that the handler
   * throws ends it and reaches the caller; the events after that one are not handled.
   *
   * @param id - The aggregate.
   * @throws {@link SillokError} `invalid_stream_id` when no event could have this `aggregateId`.
   *
   * @example
   * ```ts
   * import { EventGateway, EventStore } from "sillok";
   *
   * const store = new EventStore();
   * store.saveEvent({ aggregateId: "1", type: "Opened" });
   * const seen: unknown[] = [];
   * const handler = { handleEvent: (event: { type?: unknown }) => void seen.push(event.type) };
   * new EventGateway(store, handler).processEventsByAggregateId("1");
   * console.log(seen.join()); // Opened
   * ```
   */
  processEventsByAggregateId(id: AggregateId): void {
    const events = this.#store.findEventsByAggregateId(id) as Iterable<E>;
    for (const event of events) this.#handler.handleEvent(event);
  }
}
