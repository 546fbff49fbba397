// For Workers: they compile no wasm at run time, only what is imported as a module.

import { start } from "../local/engine.js";
import wasm from "./sillok.wasm";

start(wasm);

export * from "../index.js";
