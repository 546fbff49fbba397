/**
 * The entry `sillok/engine`. Import it in a Worker that has a store in memory or calls `verifyCommits`: `import "sillok/engine";`. Only
 * then is the wasm of the package's own engine in the bundle. A Worker of `sillok/worker` has an engine of its own, and needs none here.
 * On other platforms `sillok` starts the engine itself.
 *
 * @packageDocumentation
 */

// A Worker cannot compile wasm at run time; it imports the wasm as a module.
import { start } from "../local/engine.js";
import wasm from "./sillok.wasm";

start(wasm);
