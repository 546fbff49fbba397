/**
 * The contract of a store, for whoever writes one.
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

/** Opens a store that has no events and shares none with any other. Whoever writes it closes what it opened. */
export type OpenStore = () => Store | Promise<Store>;

/**
 * Opens another store over the database of one that {@link OpenStore} has opened, by a connection of its own. Whoever writes
 * it closes what it opened.
 */
export type OpenAnother = (store: Store) => Store | Promise<Store>;

/** Something that every store does. */
export interface Behaviour {
  /** What it does, as the name of a test. No two behaviours have the same. */
  readonly name: string;
  /** What it is about. A store that is not meant to have something can leave the behaviours about it out. */
  readonly topic: Topic;
  /** Tries it on stores of its own, and rejects with an error that says what is wrong when the store does not do it. */
  readonly run: () => Promise<void>;
}

/** What a {@link Behaviour} is about. */
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
 * What every store does: expected versions, also of many writers at once, batches, idempotency keys, reading in every
 * form, subscriptions, the feed of all streams and their directory, truncation, deletion and verification, limits and errors. Sillok's own stores are tested by this
 * very list, in memory, on a file and over HTTP.
 *
 * The behaviours know nothing of a test runner, and hold no clock: none waits for a time to pass. Each opens stores of
 * its own by `open`, so they may run in any order. With the runner of Node, vitest and most others:
 * `for (const { name, run } of storeContract(open)) test(name, run);`
 *
 * @param open - Opens a store without events, a new one each time.
 * @param another - Opens a further store over the same database, where there can be several: then the contract has also
 * what two stores that write to one database do.
 * @returns The behaviours.
 *
 * @example
 * ```ts
 * import { EventStore } from "sillok";
 * import { storeContract } from "sillok/testing";
 *
 * // In the place of this one: your own, which `implements Store`.
 * const open = () => new EventStore();
 * let kept = 0;
 * for (const { name, run } of storeContract(open)) {
 *   await run().catch((error) => console.log(`it does not hold that ${name}: ${error.message}`));
 *   kept += 1;
 * }
 * console.log(kept > 40); // true
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
