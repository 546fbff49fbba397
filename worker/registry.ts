// The registry of a Worker: the definitions of its TypeScript code. Every object has the same registry.

import { isAggregate } from "../js/ts/aggregate/definition.ts";
import type { AnyAggregate } from "../js/ts/aggregate/aggregate-store.ts";
import type { AnyConsumer } from "../js/ts/consumer/definition.ts";

/** The definitions of one Worker. */
export interface Registry {
  /** Projections and reactors, by their names. */
  readonly consumers: ReadonlyMap<string, AnyConsumer>;
  /** Aggregates, by their categories. */
  readonly aggregates: ReadonlyMap<string, AnyAggregate>;
}

/** The names that the definitions in Rust have. */
interface Taken {
  readonly aggregates: readonly string[];
  readonly consumers: readonly string[];
}

/**
 * Registers aggregates and consumers. `inRust` has the names of those that are defined in Rust.
 *
 * @throws TypeError when two consumers or two aggregates have the same name.
 */
export function registryOf(
  aggregates: readonly AnyAggregate[],
  consumers: readonly AnyConsumer[],
  inRust: Taken,
): Registry {
  for (const [place, aggregate] of aggregates.entries()) {
    if (!isAggregate(aggregate)) {
      throw new TypeError(`aggregates[${place}] must be an aggregate of aggregate()`);
    }
  }
  return {
    consumers: byName(consumers, "consumers", inRust.consumers),
    aggregates: byName(aggregates, "aggregates", inRust.aggregates),
  };
}

function byName<T extends { readonly name: string }>(
  defined: readonly T[],
  kind: string,
  taken: readonly string[],
): Map<string, T> {
  const found = new Map<string, T>();
  for (const one of defined) {
    const { name } = one;
    if (found.has(name) || taken.includes(name)) {
      throw new TypeError(`two ${kind} have the name ${JSON.stringify(name)}`);
    }
    found.set(name, one);
  }
  return found;
}

/** The text before the first `-` of a stream id. */
export function categoryOf(stream: string): string {
  return stream.split("-", 1)[0] ?? "";
}
