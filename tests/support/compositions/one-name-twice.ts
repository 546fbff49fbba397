/** A Worker whose two projections have the same name. */

import { projection, sillok } from "../../../worker/index.ts";

const counts = projection("counts", { on: () => {} });
const app = sillok({ projections: [counts, counts] });

export class Aggregate extends app.objects.Aggregate {}
export class Journal extends app.objects.Journal {}
export class Consumer extends app.objects.Consumer {}
export default app;
