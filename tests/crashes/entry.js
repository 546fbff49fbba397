import { sillok } from "../../worker/rust.ts";
import * as engine from "./build/index.js";

const app = sillok(engine);

export class Aggregate extends app.objects.Aggregate {}
export class Journal extends app.objects.Journal {}
export class Consumer extends app.objects.Consumer {}
export default app;
