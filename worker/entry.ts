/** The entry of the Worker: the plain one, in which nothing is registered. */

import { sillok } from "./index.ts";

const app = sillok();

export const { Aggregate, Journal, Consumer } = app.objects;
export default app;
