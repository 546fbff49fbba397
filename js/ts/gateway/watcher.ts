// What a test application sees of the runners of its store.

import type { ConsumedEvent } from "../consumer/definition.js";

/** Sees the failures of a store's runners, and gives reactors their environment. */
export interface Watcher {
  /** The environment of the handlers of reactors. */
  readonly env: unknown;
  /** A handler of a consumer has thrown. */
  failed(consumer: string, event: ConsumedEvent, error: unknown): void;
  /** An attempt at a timer or at a sent command has failed. The store has the error. */
  pendingFailed(stream: string, key: string, isSent: boolean): Promise<void>;
}

const watchers = new WeakMap<object, Watcher>();

/** Sets the watcher of an engine, before anything is registered. */
export function watch(engine: object, watcher: Watcher): void {
  watchers.set(engine, watcher);
}

/** The watcher of an engine, if it has one. */
export function watcherOf(engine: object): Watcher | undefined {
  return watchers.get(engine);
}
