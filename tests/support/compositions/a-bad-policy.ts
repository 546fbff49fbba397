/** A Worker whose projection has an invalid policy. */

import { projection, sillok } from "../../../worker/index.ts";

const app = sillok({ projections: [projection("counts", { attempts: 0, on: () => {} })] });

export class Aggregate extends app.objects.Aggregate {}
export class Journal extends app.objects.Journal {}
export class Consumer extends app.objects.Consumer {}
export default app;
