// The entry point for Workers. A Worker cannot compile wasm at run time; it imports the wasm as a module.

import { start } from "../local/engine.js";
import wasm from "./sillok.wasm";

start(wasm);

export * from "../index.js";
