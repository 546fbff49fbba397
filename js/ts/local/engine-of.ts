// The engines of the stores that are in this program, for those parts of the package that need more than a store shows.

import type { LocalEngine } from "./engine.js";

const engines = new WeakMap<object, LocalEngine>();

/** Notes which engine a store has. */
export function setEngineOf(store: object, engine: LocalEngine): void {
  engines.set(store, engine);
}

/** The engine of a store, unless it is elsewhere or no store of this package. */
export function engineOf(store: object): LocalEngine | undefined {
  return engines.get(store);
}
