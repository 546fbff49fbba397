/** A Worker of your own with the old code of a process. */

import { sillok } from "../../worker/index.ts";
import { oldParcel } from "./parcel.ts";

const { stock, till, post, parcel } = oldParcel();
const app = sillok({ aggregates: [stock, till, post], processes: [parcel] });

export const { Aggregate, Journal, Consumer } = app.objects;
export default app;
