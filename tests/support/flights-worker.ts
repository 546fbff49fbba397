/** A Worker with the board of the example of flights. */

import { board } from "../../examples/flights/board.ts";
import { sillok } from "../../worker/index.ts";

const app = sillok({ aggregates: [board] });

export class Aggregate extends app.objects.Aggregate {}
export class Journal extends app.objects.Journal {}
export class Consumer extends app.objects.Consumer {}
export default app;
