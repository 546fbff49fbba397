/** A Worker whose two projections have the same name. */

import { projection, sillok } from "../../../worker/index.ts";

const counts = projection("counts", { on: () => {} });
const app = sillok({ projections: [counts, counts] });

export const { Aggregate, Journal, Consumer } = app.objects;
export default app;
