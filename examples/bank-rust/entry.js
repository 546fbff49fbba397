// The runtime's side of the Worker: classes that take calls from other objects are made in JavaScript.

import { sillok } from "sillok/rust";
import * as engine from "./build/index.js";

const app = sillok(engine);

export const { Aggregate, Journal, Consumer } = app.objects;
export default app;
