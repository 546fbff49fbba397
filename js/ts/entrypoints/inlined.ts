// The entry point for browsers, Node and every other platform except Workers. The wasm is base64 in a module:
// a page and a bundler need nothing but JavaScript, and a bundled server does not lose the wasm.

import base64 from "../../generated/sillok_js_bg.wasm";
import * as engine from "../with-engine.js";
import { start } from "../local/engine.js";

start(bytes());

export const EventGateway = engine.EventGateway;
export const EventHandler = engine.EventHandler;
export const EventStore = engine.EventStore;
export const verifyCommits = engine.verifyCommits;

/** Decodes the wasm by the fastest function of the platform. Every platform has the last one. */
function bytes(): Uint8Array<ArrayBuffer> {
  if ("fromBase64" in Uint8Array)
    return (Uint8Array as typeof Uint8Array & Decoder).fromBase64(base64);
  if ("Buffer" in globalThis)
    return (globalThis as unknown as { Buffer: Decoder }).Buffer.from(base64, "base64");
  return Uint8Array.from(atob(base64), (character) => character.charCodeAt(0));
}

interface Decoder {
  fromBase64(text: string): Uint8Array<ArrayBuffer>;
  from(text: string, encoding: "base64"): Uint8Array<ArrayBuffer>;
}
