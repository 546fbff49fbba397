/** The entry of the plain Worker. It registers no consumers. */

import { sillok } from "./index.ts";

const app = sillok();

export class Aggregate extends app.objects.Aggregate {}
export class Journal extends app.objects.Journal {}
export class Consumer extends app.objects.Consumer {}
export default app;
