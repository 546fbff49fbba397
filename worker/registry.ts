// The registry of a Worker: the definitions of its TypeScript code. Every object has the same registry.

import type { AnyConsumer } from "sillok";

/** The definitions of one Worker. */
export interface Registry {
  /** Projections and reactors, by their names. */
  readonly consumers: ReadonlyMap<string, AnyConsumer>;
}

/**
 * Registers consumers. `inRust` has the names of the consumers that are defined in Rust.
 *
 * @throws TypeError when two consumers have the same name.
 */
export function registryOf(defined: readonly AnyConsumer[], inRust: readonly string[]): Registry {
  const consumers = new Map<string, AnyConsumer>();
  for (const consumer of defined) {
    const { name } = consumer;
    if (consumers.has(name) || inRust.includes(name)) {
      throw new TypeError(`two consumers have the name ${JSON.stringify(name)}`);
    }
    consumers.set(name, consumer);
  }
  return { consumers };
}
