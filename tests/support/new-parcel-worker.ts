/** A Worker of your own with the new code of a process. */

import { sillok } from "../../worker/index.ts";
import { newParcel } from "./parcel.ts";

const { stock, till, post, parcel } = newParcel();
const app = sillok({ aggregates: [stock, till, post], processes: [parcel] });

export const { Aggregate, Journal, Consumer } = app.objects;
export default app;
