/** The entry `sillok/rust`, for a Worker of your own in Rust. */

import type { AnyAggregate } from "../js/ts/aggregate/aggregate-store.ts";
import type { AnyProcess } from "../js/ts/consumer/process-types.ts";
import type { App, Parts } from "./app.ts";
import { compose } from "./composition.ts";
import type { Engine } from "./engine.ts";
import { overEngine } from "./over-engine.ts";

export * from "../js/ts/definitions.ts";
export type { App, ObjectClass, OwnOptions, Parts, WorkerObject } from "./app.ts";
export type { Engine } from "./engine.ts";

/**
 * Composes a Worker over your own engine. The engine is the module that `worker-build` builds from your crate over
 * `sillok-worker`. It has the aggregates, projections and reactors that the crate registers.
 *
 * Write the entry of the Worker in JavaScript:
 *
 * ```js
 * import { sillok } from "sillok/rust";
 * import * as engine from "./build/index.js";
 *
 * const app = sillok(engine);
 * export class Aggregate extends app.objects.Aggregate {}
 * export class Journal extends app.objects.Journal {}
 * export class Consumer extends app.objects.Consumer {}
 * export default app;
 * ```
 *
 * @param engine - The module of your crate.
 * @param parts - More aggregates, processes, projections and reactors, in TypeScript.
 * @throws TypeError when two consumers or two aggregates have the same name; Error when a registration in Rust is invalid.
 */
export function sillok<
  const Aggregates extends readonly AnyAggregate[] = [],
  const Processes extends readonly AnyProcess[] = [],
>(
  engine: Engine,
  parts: Parts<Aggregates, Processes> = {},
): App<Aggregates[number] | Processes[number]> {
  return compose(overEngine(engine), parts);
}
