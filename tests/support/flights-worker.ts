/** A Worker with the board of the example of flights. */

import { board } from "../../examples/flights/board.ts";
import { sillok } from "../../worker/index.ts";

const app = sillok({ aggregates: [board] });

export const { Aggregate, Journal, Consumer } = app.objects;
export default app;
