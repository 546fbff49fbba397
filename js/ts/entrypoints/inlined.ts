// For browsers, Node and everything else but Workers. The wasm is part of the file, as base64: a page and a
// bundler have one file to find, and nothing is left behind when a server is bundled.

import base64 from "../../generated/sillok_js_bg.wasm";
import { start } from "../local/engine.js";

start(bytes());

export * from "../index.js";

/** Decoded by the fastest means there is; the last one is there everywhere. */
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
