// The entry `sillok/worker` outside of the Workers runtime: a program can import a file that composes a Worker.

import { compose } from "./composition.ts";
import { ELSEWHERE } from "./elsewhere.ts";
import type * as inWorkers from "./index.ts";

export * from "../js/ts/definitions.ts";

export const sillok = ((parts = {}) => compose(ELSEWHERE, parts)) as typeof inWorkers.sillok;
