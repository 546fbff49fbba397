// The runtime's side of the Worker: classes that take calls from other objects are made in JavaScript.

import { sillok } from "sillok/rust";
import * as engine from "./build/index.js";

const app = sillok(engine);

export class Aggregate extends app.objects.Aggregate {}
export class Journal extends app.objects.Journal {}
export class Consumer extends app.objects.Consumer {}
export default app;
