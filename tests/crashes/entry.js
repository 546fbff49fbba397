import { sillok } from "../../worker/rust.ts";
import * as engine from "./build/index.js";

const app = sillok(engine);

export const { Aggregate, Journal, Consumer } = app.objects;
export default app;
