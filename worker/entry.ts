/** The entry of the plain Worker. It registers no consumers. */

import { sillok } from "./index.ts";

const app = sillok();

export const { Aggregate, Journal, Consumer } = app.objects;
export default app;
