/** A Worker of your own with a reactor, most of whose appends fail at the first attempt. */

import { reactor, sillok } from "../../worker/index.ts";
import { type Said, telling } from "./telling.ts";

// The sources have types of their own, which are the same as those of the built package.
const own = { reactor, sillok } as unknown as typeof import("sillok/worker");
const app = own.sillok({ reactors: [own.reactor<Said>("telling", telling)] });

export class Aggregate extends app.objects.Aggregate {}
export class Journal extends app.objects.Journal {}
export class Consumer extends app.objects.Consumer {}
export default app;
