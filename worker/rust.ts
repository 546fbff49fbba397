/** What stands in front of a Worker of one's own that is written in Rust: `sillok/rust`. */

import { type App, compose, type Parts } from "./composition.ts";
import type { Engine } from "./engine.ts";

export { projection } from "../js/ts/consumer/projection.ts";
export { reactor } from "../js/ts/consumer/reactor.ts";
export type { App, ObjectClass, Parts } from "./composition.ts";
export type { Engine } from "./engine.ts";

/**
 * Composes a Worker over an engine of one's own: the module that `worker-build` made of a crate over `sillok-worker`, with
 * the projections and reactors that are registered in it.
 *
 * The entry of such a Worker is this, in JavaScript:
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
 * @param engine - The module.
 * @param parts - Projections and reactors in TypeScript, to run beside those in Rust.
 * @throws TypeError when two consumers have the same name; Error when a registration in Rust is invalid.
 */
export function sillok(engine: Engine, parts: Parts = {}): App {
  return compose(engine, parts);
}
