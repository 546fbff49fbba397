/**
 * Tests of aggregates without a store, and the contract of a store for authors of stores.
 *
 * @packageDocumentation
 */

import type { Store } from "../store/store.js";
import { appending } from "./appending.js";
import type { Behaviours } from "./assert.js";
import { competing } from "./competing.js";
import { feeding } from "./feeding.js";
import { forgetting } from "./forgetting.js";
import { listing } from "./listing.js";
import { reading } from "./reading.js";
import { refusing } from "./refusing.js";
import { repeating } from "./repeating.js";
import { sharing } from "./sharing.js";
import { subscribing } from "./subscribing.js";

export { type Decided, type Further, given, type Given, type WhenOptions } from "./given.js";
export type { History, StoredEvent } from "./history.js";
export {
  answer,
  type AnswerInput,
  event,
  type EventInput,
  type GivenAnswer,
  type GivenEvent,
  type InputOf,
} from "./inputs.js";
export { laws } from "./laws.js";
export {
  memoryApp,
  type MemoryAggregate,
  type MemoryApp,
  type MemoryAppOptions,
  type MemoryDocuments,
} from "./memory-app.js";

export { type Redelivered, redeliver, type RedeliverOptions } from "./redeliver.js";

/** Opens a new store without events. It shares no events with another store. Close it yourself. */
export type OpenStore = () => Store | Promise<Store>;

/**
 * Opens a second store over the database of a store that {@link OpenStore} has opened, with its own connection. Close it
 * yourself.
 */
export type OpenAnother = (store: Store) => Store | Promise<Store>;

/** One behaviour of every store. */
export interface Behaviour {
  /** The behaviour as the name of a test. No two behaviours have the same name. */
  readonly name: string;
  /** The topic of the behaviour. A store without a feature can leave out the behaviours of its topic. */
  readonly topic: Topic;
  /** Checks the behaviour on its own stores. If a store does not have it, the promise rejects with an error that says why. */
  readonly run: () => Promise<void>;
}

/** The topic of a {@link Behaviour}. */
export type Topic =
  | "append"
  | "concurrency"
  | "read"
  | "subscribe"
  | "feed"
  | "directory"
  | "idempotency"
  | "forget"
  | "refuse"
  | "sharing";

const CONTRACT: Readonly<Record<Exclude<Topic, "sharing">, Behaviours>> = {
  append: appending,
  concurrency: competing,
  read: reading,
  subscribe: subscribing,
  feed: feeding,
  directory: listing,
  idempotency: repeating,
  forget: forgetting,
  refuse: refusing,
};

/**
 * Returns the behaviours of every store: expected versions, also with many writers at the same time, arrays of events,
 * idempotency keys, all forms of reads, subscriptions, the feed of all streams and their directory, truncation, deletion and
 * verification, limits and errors. Sillok's own stores pass the same tests, in memory, on a file and over HTTP.
 *
 * The behaviours need no test runner and no clock: none of them waits for a time. Each one opens its own stores by `open`, so
 * you can run them in any order. With the runner of Node, with vitest and with most others:
 * `for (const { name, run } of storeContract(open)) test(name, run);`
 *
 * @param open - Opens a new store without events at each call.
 * @param another - Opens a second store over the same database, if your database can have several. Then the contract also has
 * the behaviours of two stores that write to one database.
 * @returns The behaviours.
 *
 * @example
 * ```ts
 * import { EventStore } from "sillok";
 * import { storeContract } from "sillok/testing";
 *
 * // Replace it by your own store, which `implements Store`.
 * const open = () => new EventStore();
 * let passed = 0;
 * for (const { name, run } of storeContract(open)) {
 *   await run().catch((error) => console.log(`failed: ${name}: ${error.message}`));
 *   passed += 1;
 * }
 * console.log(passed > 40); // true
 * ```
 */
export function storeContract(open: OpenStore, another?: OpenAnother): Behaviour[] {
  const contract: Partial<Record<Topic, Behaviours>> = { ...CONTRACT };
  if (another !== undefined) contract.sharing = sharing(another);
  return (Object.keys(contract) as Topic[]).flatMap((topic) =>
    Object.entries(contract[topic] ?? {}).map(([name, behaviour]) => ({
      name,
      topic,
      run: () => behaviour(open),
    })),
  );
}
