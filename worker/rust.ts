/** The entry `sillok/rust`, for a Worker of your own in Rust. */

import type { AnyAggregate } from "../js/ts/aggregate/aggregate-store.ts";
import type { AnyProcess } from "../js/ts/consumer/process-types.ts";
import { type App, compose, type Parts } from "./composition.ts";
import type { Engine } from "./engine.ts";

export { aggregate } from "../js/ts/aggregate/aggregate.ts";
export { cancel, schedule, send } from "../js/ts/aggregate/pending.ts";
export { reject } from "../js/ts/aggregate/reject.ts";
export { process } from "../js/ts/consumer/process.ts";
export { projection } from "../js/ts/consumer/projection.ts";
export { reactor } from "../js/ts/consumer/reactor.ts";
export type { App, ObjectClass, OwnOptions, Parts } from "./composition.ts";
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
 * export const { Aggregate, Journal, Consumer } = app.objects;
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
  return compose(engine, parts);
}
