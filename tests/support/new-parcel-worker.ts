/** A Worker of your own with the new code of a process. */

import { sillok } from "../../worker/index.ts";
import { newParcel } from "./parcel.ts";

const { stock, till, post, parcel } = newParcel();
const app = sillok({ aggregates: [stock, till, post], processes: [parcel] });

export class Aggregate extends app.objects.Aggregate {}
export class Journal extends app.objects.Journal {}
export class Consumer extends app.objects.Consumer {}
export default app;
