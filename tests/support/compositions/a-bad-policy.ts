/** A Worker whose projection has an invalid policy. */

import { projection, sillok } from "../../../worker/index.ts";

const app = sillok({ projections: [projection("counts", { attempts: 0, on: () => {} })] });

export const { Aggregate, Journal, Consumer } = app.objects;
export default app;
