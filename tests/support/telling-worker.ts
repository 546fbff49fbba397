/** A Worker of your own with a reactor, most of whose appends fail at the first attempt. */

import { reactor, sillok } from "../../worker/index.ts";
import { type Said, telling } from "./telling.ts";

const app = sillok({ reactors: [reactor<Said>("telling", telling)] });

export const { Aggregate, Journal, Consumer } = app.objects;
export default app;
