// The one file that touches generated code: the engine in wasm, with types, and with its refusals as errors.

import { initSync, MemoryStore } from "../generated/sillok_js.js";
import { type Failure, SillokError } from "./errors.js";
import type { AppendResult } from "./events.js";
import type { WrittenJson } from "./json.js";

/** A page of a stream, its events as JSON. */
export interface Page {
  readonly version: number;
  readonly events: string;
  readonly next?: Range;
}

/** What to read; unchecked when it comes from the caller. */
export interface Range {
  readonly from?: number | undefined;
  readonly to?: number | undefined;
  readonly limit?: number | undefined;
  readonly direction?: string | undefined;
}

/** Starts the engine. Every entry point does so, once, with the wasm as its platform loads it. */
export function start(module: BufferSource | WebAssembly.Module): void {
  initSync({ module });
}

/** Streams in memory, kept by the engine. */
export class Engine {
  readonly #store = new MemoryStore();

  append(stream: unknown, events: string, expected: unknown): AppendResult {
    askForRandomness();
    return raised(() => this.#store.append(stream, events, expected));
  }

  readPage(stream: unknown, range: Range): Page {
    return raised(() => this.#store.readPage(stream, range));
  }

  save({ text, dates }: WrittenJson): void {
    askForRandomness();
    raised(() => this.#store.save(text, dates));
  }

  find(id: unknown): string {
    return raised(() => this.#store.find(id));
  }
}

let randomnessGiven = false;

/**
 * Ids need random numbers, which some places refuse, such as a Worker's global scope. Asked for here first, the
 * platform's own error reaches the caller; raised inside the engine, it would stop the engine.
 */
function askForRandomness(): void {
  if (randomnessGiven) return;
  crypto.getRandomValues(new Uint8Array(1));
  randomnessGiven = true;
}

/** Calls the engine; what it refuses is raised as a {@link SillokError}. */
function raised<T>(call: () => T): T {
  try {
    return call();
  } catch (refused) {
    throw isFailure(refused) ? new SillokError(refused) : refused;
  }
}

/** The engine throws plain objects, and nothing else does. */
function isFailure(thrown: unknown): thrown is Failure {
  return (
    typeof thrown === "object" && thrown !== null && !(thrown instanceof Error) && "code" in thrown
  );
}
