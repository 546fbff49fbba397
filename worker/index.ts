/** What a Worker of one's own imports: `sillok/worker`. */

export { projection } from "../js/ts/consumers/projection.ts";
export { reactor } from "../js/ts/consumers/reactor.ts";
export { type App, type Parts, sillok } from "./composition.ts";
