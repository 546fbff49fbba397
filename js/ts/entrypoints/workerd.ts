// For Workers: they compile no wasm at run time, only what is imported as a module.

import wasm from "./sillok.wasm";
import { start } from "../engine.js";

start(wasm);

export * from "../index.js";
