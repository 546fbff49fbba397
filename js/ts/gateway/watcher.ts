// What a test application sees of the runners of its store.

import type { FailureListener } from "../consumer/app-failure.js";

export { subjectOf } from "../consumer/failures.js";

/** Sees the failures of a store's runners, in place of the log, and gives reactors their environment. */
export interface Watcher {
  /** The environment of the handlers of reactors. */
  readonly env: unknown;
  /** An attempt has failed. */
  readonly failed: FailureListener;
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
