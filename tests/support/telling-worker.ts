/** A Worker of a user's own with a reactor of whose appends most fail at first. */

import { reactor, sillok } from "../../worker/index.ts";
import { type Said, telling } from "./telling.ts";

const app = sillok({ reactors: [reactor<Said>("telling", telling)] });

export const { Aggregate, Journal, Consumer } = app.objects;
export default app;
