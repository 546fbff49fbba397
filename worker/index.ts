/** The entry `sillok/worker`, for a Worker of your own in TypeScript. */

import * as engine from "./build/index.js";
import type { AnyAggregate } from "../js/ts/aggregate/aggregate-store.ts";
import type { AnyProcess } from "../js/ts/consumer/process-types.ts";
import type { App, Parts } from "./app.ts";
import { compose } from "./composition.ts";
import { overEngine } from "./over-engine.ts";

export * from "../js/ts/definitions.ts";
export type { App, ObjectClass, OwnOptions, Parts, WorkerObject } from "./app.ts";

/**
 * Composes a Worker: Sillok's HTTP interface and objects, with your aggregates, processes, projections and
 * reactors.
 *
 * @throws TypeError when two consumers or two aggregates have the same name.
 *
 * @example
 * ```ts
 * import { projection, sillok } from "sillok/worker";
 *
 * type Deposited = { type: "Deposited"; data: { amount: number } };
 *
 * const balances = projection<Deposited, { amount: number }>("balances", {
 *   category: "account",
 *   on: {
 *     Deposited(event, documents) {
 *       const { amount } = documents.get(event.stream) ?? { amount: 0 };
 *       documents.put(event.stream, { amount: amount + event.data.amount });
 *     },
 *   },
 * });
 * const app = sillok({ projections: [balances] });
 * export class Aggregate extends app.objects.Aggregate {}
 * export class Journal extends app.objects.Journal {}
 * export class Consumer extends app.objects.Consumer {}
 * export default app;
 * ```
 */
export function sillok<
  const Aggregates extends readonly AnyAggregate[] = [],
  const Processes extends readonly AnyProcess[] = [],
>(parts: Parts<Aggregates, Processes> = {}): App<Aggregates[number] | Processes[number]> {
  return compose(overEngine(engine), parts);
}
