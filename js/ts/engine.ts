// The one file that touches generated code: the engine in wasm, with types, and with its refusals as errors.

import { initSync, LineProof, Store, StreamProof } from "../generated/sillok_js.js";
import { Changes } from "./changes.js";
import type { Database } from "./database.js";
import { type Failure, SillokError } from "./errors.js";
import type { AppendResult, StreamEntry, TruncateResult, Verification } from "./events.js";
import type { WrittenJson } from "./json.js";
import type { ReadAllOptions, StreamsOptions } from "./options.js";

/** A page of a stream, its events as JSON. */
export interface Page {
  readonly version: number;
  readonly events: string;
  readonly next?: Range;
}

/** A page of commits, one a line. */
export interface Commits {
  readonly version: number;
  readonly text: string;
  readonly next?: string;
}

/** What to read; unchecked when it comes from the caller. */
export interface Range {
  readonly from?: number | undefined;
  readonly to?: number | undefined;
  readonly limit?: number | undefined;
  readonly direction?: string | undefined;
  readonly type?: string | undefined;
}

/** A page of the feed, its events as JSON. */
export interface FeedPage {
  readonly events: string;
  readonly checkpoint: string;
  readonly more: boolean;
}

/** A page of the directory. */
export interface StreamsPage {
  readonly streams: readonly StreamEntry[];
  readonly next?: string;
}

/** Starts the engine. Every entry point does so, once, with the wasm as its platform loads it. */
export function start(module: BufferSource | WebAssembly.Module): void {
  initSync({ module });
}

/** Streams in a database or, without one, in memory. */
export class Engine {
  readonly #database: Database | undefined;
  readonly #changes: Changes;
  #store: Store | undefined;

  constructor(database?: Database) {
    this.#database = database;
    this.#changes = new Changes(database);
    this.#store = new Store(database);
  }

  append(stream: unknown, events: string, expected: unknown, key: unknown): AppendResult {
    askForRandomness();
    const appended = this.#ask<AppendResult>((store) =>
      store.append(stream, events, expected, key),
    );
    this.#changes.tell(stream);
    return appended;
  }

  readPage(stream: unknown, range: Range): Page {
    return this.#ask((store) => store.readPage(stream, range));
  }

  readFeed(wanted: ReadAllOptions): FeedPage {
    return this.#ask((store) => store.readFeed(wanted));
  }

  /** The position of the last event that was ever written. */
  end(): number {
    return this.#ask((store) => store.end());
  }

  streams(wanted: StreamsOptions): StreamsPage {
    return this.#ask((store) => store.streams(wanted));
  }

  /** Verifies page by page; between two of them others have their turn. */
  async verify(stream: unknown): Promise<Verification> {
    const proof = this.#ask(() => new StreamProof(stream));
    try {
      while (this.#ask((store) => store.verifyPage(proof))) await anotherTurn();
      return proof.found();
    } finally {
      proof.free();
    }
  }

  readCommits(stream: unknown, next?: string): Commits {
    return this.#ask((store) => store.readCommits(stream, next));
  }

  truncate(stream: unknown, before: unknown): TruncateResult {
    return this.#ask((store) => store.truncate(stream, before));
  }

  delete(stream: unknown): void {
    this.#ask((store) => store.delete(stream));
    this.#changes.tell(stream);
  }

  isDeleted(stream: unknown): boolean {
    return this.#ask((store) => store.isDeleted(stream));
  }

  save({ text, dates }: WrittenJson): void {
    askForRandomness();
    this.#ask((store) => store.save(text, dates));
    this.#changes.tell();
  }

  find(id: unknown): string {
    return this.#ask((store) => store.find(id));
  }

  /** See {@link Changes.mark}. */
  mark(): number {
    return this.#ask(() => this.#changes.mark());
  }

  /** See {@link Changes.after}. */
  changed(mark: number, stop: AbortSignal, stream?: unknown): Promise<void> {
    return this.#changes.after(mark, stop, stream);
  }

  close(): void {
    if (this.#store === undefined) return;
    this.#store.free();
    this.#store = undefined;
    this.#database?.close();
    this.#changes.tell();
  }

  /** Calls the engine; what it refuses is raised as a {@link SillokError}. */
  #ask<T>(call: (store: Store) => T): T {
    if (this.#store === undefined) {
      throw new SillokError({ code: "storage_failed", detail: "the store was closed" });
    }
    try {
      return call(this.#store);
    } catch (refused) {
      throw isFailure(refused) ? new SillokError(refused) : refused;
    }
  }
}

/** What exported lines prove. They are taken up to the first that is broken. */
export async function verifyLines(
  lines: Iterable<unknown> | AsyncIterable<unknown>,
): Promise<Verification> {
  const proof = new LineProof();
  try {
    for await (const line of lines) {
      if (typeof line !== "string") {
        const detail = "`lines` must be the lines of an export, each a string";
        throw new SillokError({ code: "invalid_parameter", detail, field: "lines" });
      }
      if (!proof.add(line)) break;
    }
    return proof.found();
  } finally {
    proof.free();
  }
}

function anotherTurn(): Promise<void> {
  return new Promise((resolve) => setTimeout(resolve));
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

/** The engine throws plain objects, and nothing else does. */
function isFailure(thrown: unknown): thrown is Failure {
  return (
    typeof thrown === "object" && thrown !== null && !(thrown instanceof Error) && "code" in thrown
  );
}
