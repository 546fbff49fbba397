// The engines of the stores in this program, for the parts of the package that need more than a store's interface.

import type { LocalEngine } from "./engine.js";

const engines = new WeakMap<object, LocalEngine>();

/** Sets the engine of a store. */
export function setEngineOf(store: object, engine: LocalEngine): void {
  engines.set(store, engine);
}

/** The engine of a store; undefined if it is a remote store, or no store of this package. */
export function engineOf(store: object): LocalEngine | undefined {
  return engines.get(store);
}
