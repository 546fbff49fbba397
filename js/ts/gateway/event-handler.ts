import type { SavedEvent } from "../store/events.js";

/**
 * Handles events. Extend it, and override {@link EventHandler.handleEvent}.
 *
 * `E` is the type of the events. The store does not check stored events against it.
 *
 * @example
 * ```ts
 * import { EventGateway, EventHandler, EventStore } from "sillok";
 *
 * interface Moved {
 *   aggregateId: string;
 *   type: "Deposited" | "Withdrawn";
 *   amount: number;
 * }
 *
 * class Balance extends EventHandler<Moved> {
 *   amount = 0;
 *   override handleEvent(event: Moved) {
 *     this.amount += event.type === "Deposited" ? event.amount : -event.amount;
 *   }
 * }
 *
 * const store = new EventStore();
 * store.saveEvent({ aggregateId: "1", type: "Deposited", amount: 100 });
 * store.saveEvent({ aggregateId: "1", type: "Withdrawn", amount: 30 });
 * const balance = new Balance();
 * new EventGateway(store, balance).processEventsByAggregateId("1");
 * console.log(balance.amount); // 70
 * ```
 */
export class EventHandler<E extends object = SavedEvent> {
  /**
   * Handles one event. This implementation only prints `Event handled:` and the event to the console.
   *
   * @param event - The event, a copy for the handler.
   *
   * @example
   * ```ts
   * import { EventHandler } from "sillok";
   *
   * new EventHandler().handleEvent({ aggregateId: "1", type: "Opened" });
   * // prints: Event handled: { aggregateId: '1', type: 'Opened' }
   * ```
   */
  handleEvent(event: E): void {
    console.log("Event handled:", event);
  }
}
