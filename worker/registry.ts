// The registry of a Worker: the definitions of its TypeScript code. Every object has the same registry.

import { isAggregate } from "../js/ts/aggregate/definition.ts";
import { isProcess } from "../js/ts/aggregate/process-rules.ts";
import type { AnyAggregate } from "../js/ts/aggregate/aggregate-store.ts";
import type { AnyConsumer } from "../js/ts/consumer/definition.ts";
import type { AnyProcess, ProcessConsumer } from "../js/ts/consumer/process-types.ts";
import type { AnySending } from "./sending.ts";

/** The definitions of one Worker. */
export interface Registry {
  /** Projections, reactors, webhooks, queues, and the consumers of processes, by their names. */
  readonly consumers: ReadonlyMap<string, AnyConsumer | AnySending | ProcessConsumer>;
  /** Aggregates and processes, by their categories. */
  readonly aggregates: ReadonlyMap<string, AnyAggregate>;
}

/** The names that the definitions in Rust have. */
export interface Taken {
  readonly aggregates: readonly string[];
  readonly consumers: readonly string[];
}

/**
 * Registers aggregates, processes and consumers. `inRust` has the names of those that are defined in Rust.
 *
 * @throws TypeError when two consumers or two aggregates have the same name. A process is both.
 */
export function registryOf(
  aggregates: readonly AnyAggregate[],
  processes: readonly AnyProcess[],
  consumers: readonly (AnyConsumer | AnySending)[],
  inRust: Taken,
): Registry {
  for (const [place, aggregate] of aggregates.entries()) {
    if (isProcess(aggregate)) {
      throw new TypeError(`aggregates[${place}] is a process: register it in \`processes\``);
    }
    if (!isAggregate(aggregate)) {
      throw new TypeError(`aggregates[${place}] must be an aggregate of aggregate()`);
    }
  }
  for (const [place, process] of processes.entries()) {
    if (isProcess(process)) continue;
    throw new TypeError(`processes[${place}] must be a process of process()`);
  }
  const followers = processes.flatMap(({ consumer = [] }) => consumer);
  return {
    consumers: byName([...consumers, ...followers], "consumers", inRust.consumers),
    aggregates: byName([...aggregates, ...processes], "aggregates", inRust.aggregates),
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
