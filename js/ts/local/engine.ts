// The engine in wasm, with types, and with its refusals as errors. No other file touches generated code.

import {
  Consumer as ConsumerInRust,
  type DocumentsHandle as DocumentsInRust,
  initSync,
  LineProof,
  Store as StoreInRust,
  StreamProof,
} from "../../generated/sillok_js.js";
import type { ConsumerDefinition } from "../consumer/definition.js";
import type { DocumentsJson } from "../consumer/documents.js";
import type { FailedAttempt } from "../consumer/failed-attempt.js";
import type { Database } from "../sqlite/database.js";
import { Patience } from "../sqlite/patience.js";
import { SillokError } from "../store/errors.js";
import type { AppendResult, TruncateResult, Verification } from "../store/events.js";
import type { WrittenJson } from "../store/json.js";
import type { ReadAllOptions, StreamsOptions } from "../store/options.js";
import { sleep } from "../time/timers.js";
import { Calls } from "./calls.js";
import { Changes, type Mark } from "./changes.js";
import type {
  CommitsPage,
  FeedPage,
  ItemsPage,
  StreamPage,
  ReadRange,
  StreamsPage,
} from "./pages.js";

/** The result of {@link EngineConsumer.step}. */
export type Step =
  "worked" | "idle" | "paused" | "stopped" | number | readonly [string, number, string];

/** A projection or a reactor, without its handlers. */
export interface DefinedConsumer extends ConsumerDefinition {
  readonly kind: string;
  readonly after?: string | undefined;
  readonly timeout?: number;
}

/** Starts the engine. Every entry point calls it once, with the wasm in the form that its platform loads. */
export function start(module: BufferSource | WebAssembly.Module): void {
  initSync({ module });
}

/** A value, or a promise of it where another connection has locked the file. */
export type Soon<T> = T | Promise<T>;

/**
 * The engine of one store: streams in a database or, without one, in memory. While another connection has locked the file, a
 * call waits for the lock. The methods whose names end in `Now` block the program meanwhile.
 */
export class LocalEngine {
  readonly #database: Database | undefined;
  readonly #patience: Patience;
  readonly #changes: Changes;
  #store: StoreInRust | undefined;
  /** Whether a projection's handler runs: nobody may use the store within its transaction. */
  #projects = false;
  readonly #calls = new Calls(() => {
    this.#database?.cutOff();
    // Not now: the stack may have no room for it.
    queueMicrotask(() => this.close());
  });

  constructor(database?: Database) {
    this.#database = database;
    this.#patience = new Patience(database?.busyTimeout ?? 0, () => database?.mayWrite() ?? true);
    this.#changes = new Changes(database);
    this.#store = new StoreInRust(database);
  }

  append(stream: unknown, events: string, expected: unknown, key: unknown): Soon<AppendResult> {
    askForRandomness();
    return this.#writeTo(stream, (store) => store.append(stream, events, expected, key));
  }

  readPage(stream: unknown, range: ReadRange): Soon<StreamPage> {
    return this.#read((store) => store.readPage(stream, range));
  }

  readFeed(wanted: ReadAllOptions): Soon<FeedPage> {
    return this.#read((store) => store.readFeed(wanted));
  }

  /** The highest position that any event has had. */
  end(): Soon<number> {
    return this.#read((store) => store.end());
  }

  streams(wanted: StreamsOptions): Soon<StreamsPage> {
    return this.#read((store) => store.streams(wanted));
  }

  /** Verifies page by page. Other work runs between two pages. */
  async verify(stream: unknown): Promise<Verification> {
    const proof = this.#ask(() => new StreamProof(stream));
    try {
      while (await this.#read((store) => store.verifyPage(proof))) await sleep(0);
      return proof.found();
    } finally {
      proof.free();
    }
  }

  readCommits(stream: unknown, next?: string): Soon<CommitsPage> {
    return this.#read((store) => store.readCommits(stream, next));
  }

  /** Removes the forgotten events page by page. Nobody can read them any more. Other work runs between two pages. */
  async truncate(stream: unknown, before: unknown): Promise<TruncateResult> {
    const left = await this.#write<TruncateResult>((store) => store.truncate(stream, before));
    await this.#removeForgotten(stream);
    return left;
  }

  async delete(stream: unknown): Promise<void> {
    await this.#writeTo(stream, (store) => store.delete(stream));
    await this.#removeForgotten(stream);
  }

  async #removeForgotten(stream: unknown): Promise<void> {
    while (await this.#write((store) => store.removeForgotten(stream))) await sleep(0);
  }

  saveNow({ text, dates }: WrittenJson): void {
    askForRandomness();
    this.#usable();
    const places = JSON.stringify(dates);
    this.#patience.writeNow(() => this.#ask((store) => store.save(text, places)));
    this.#changes.notify();
  }

  findNow(id: unknown): string {
    return this.#patience.readNow(() => this.#ask((store) => store.find(id)));
  }

  /** Opens a projection or a reactor over this store. */
  consumerNow(definition: DefinedConsumer): EngineConsumer {
    const { name, kind, after, category, types, onFailure, timeout } = definition;
    const numbers = [definition.attempts, definition.firstDelay, definition.longestDelay];
    if (timeout !== undefined) numbers.push(timeout);
    const feed = { after, category, types };
    const open = (store: StoreInRust) =>
      ConsumerInRust.open(
        store,
        name,
        kind === "projection",
        feed,
        onFailure,
        Uint32Array.from(numbers),
      );
    const opened = this.#patience.readNow(() => this.#ask(open));
    return new EngineConsumer(opened, {
      read: (call) => this.#read(call, opened),
      write: (call) => this.#write(call, opened),
      writeTo: (stream, call) => this.#writeTo(stream, call, opened),
      projecting: (work) => {
        this.#projects = true;
        try {
          return work();
        } finally {
          this.#projects = false;
          this.#calls.wereCutOff(1);
        }
      },
      whole: (call) => this.#calls.run(call),
    });
  }

  /** See {@link Changes.mark}. */
  mark(): Soon<Mark> {
    return this.#read(() => this.#changes.mark());
  }

  /** See {@link Changes.after}. */
  changed(mark: Mark, stop: AbortSignal, stream?: unknown): Promise<void> {
    return this.#changes.after(mark, stop, stream);
  }

  close(): void {
    if (this.#store === undefined) return;
    this.#checkReach();
    if (!this.#calls.wereCutOff(0)) this.#store.free();
    this.#store = undefined;
    this.#database?.close();
    this.#patience.end();
    this.#changes.notify();
  }

  #read<T>(call: (store: StoreInRust) => T, of?: object): Soon<T> {
    return this.#patience.read(() => this.#ask(call, of));
  }

  #write<T>(call: (store: StoreInRust) => T, of?: object): Soon<T> {
    // A closed store refuses at once, and not after the wait for other writers.
    this.#usable();
    return this.#patience.write(() => this.#ask(call, of));
  }

  /** Writes to a stream, and notifies the subscriptions to it. */
  #writeTo<T>(stream: unknown, call: (store: StoreInRust) => T, of?: object): Soon<T> {
    this.#usable();
    return this.#patience.write(() => {
      const answer = this.#ask(call, of);
      this.#changes.notify(stream);
      return answer;
    });
  }

  #ask<T>(call: (store: StoreInRust) => T, of?: object): T {
    const store = this.#usable();
    const run = () => this.#calls.run(() => call(store), store, of);
    return this.#database === undefined ? run() : this.#database.inPlace(run);
  }

  /** The store, if it can be called now. */
  #usable(): StoreInRust {
    if (this.#calls.wereCutOff(this.#projects ? 1 : 0)) {
      if (!this.#projects) this.close();
      throw this.#calls.refusal();
    }
    if (this.#store === undefined) {
      throw new SillokError({ code: "storage_failed", detail: "the store was closed" });
    }
    this.#checkReach();
    return this.#store;
  }

  #checkReach(): void {
    if (!this.#projects) return;
    const detail =
      "a projection's handler must use only the event and its documents, not the store";
    throw new SillokError({ code: "invalid_consumer", detail });
  }
}

/** The calls of its engine that a consumer may make. */
interface ConsumerCalls {
  read<T>(call: (store: StoreInRust) => T): Soon<T>;
  write<T>(call: (store: StoreInRust) => T): Soon<T>;
  writeTo<T>(stream: unknown, call: (store: StoreInRust) => T): Soon<T>;
  projecting<T>(work: () => T): T;
  whole<T>(call: () => T): T;
}

/** A consumer in the engine. */
export class EngineConsumer {
  readonly #consumer: ConsumerInRust;
  readonly #calls: ConsumerCalls;

  constructor(consumer: ConsumerInRust, calls: ConsumerCalls) {
    this.#consumer = consumer;
    this.#calls = calls;
  }

  /**
   * Does the next piece of work. `apply` projects an event, and returns the failed attempt if it fails. The result is `worked`
   * if there may be more work; or the id, attempt and JSON of an event to deliver; or the reason why there is no work now. If
   * it is too early for the next work, the result is the number of milliseconds to wait.
   */
  step(apply: (event: string, documents: DocumentsJson) => FailedAttempt | undefined): Soon<Step> {
    const { projecting, whole } = this.#calls;
    const applied = (event: string, documents: DocumentsInRust) => {
      const held: DocumentsJson = {
        get: (key) => whole(() => documents.get(key)),
        put: (key, document) => whole(() => documents.put(key, document)),
        delete: (key) => whole(() => documents.delete(key)),
      };
      try {
        return projecting(() => apply(event, held));
      } finally {
        documents.free();
      }
    };
    return this.#calls.write((store) => this.#consumer.step(store, applied, Math.random()));
  }

  /** Appends as the command number `n` of the delivery with this id, which has not ended. */
  append(
    id: string,
    n: number,
    stream: unknown,
    events: string,
    expected: unknown,
  ): Soon<AppendResult> {
    askForRandomness();
    return this.#calls.writeTo(stream, (store) =>
      this.#consumer.append(store, id, n, stream, events, expected),
    );
  }

  /** Ends a delivery: with the failed attempt, or with success. */
  delivered(id: string, wrong: FailedAttempt | undefined): Soon<void> {
    return this.#calls.write((store) => this.#consumer.delivered(store, id, wrong, Math.random()));
  }

  operate(act: "pause" | "resume" | "retry" | "rebuild" | "wake"): Soon<void> {
    return this.#calls.write(() => this.#consumer.operate(act));
  }

  /** Discards the dead letters with these ids, or the first hundreds of them. Returns whether there was one. */
  discard(from: number, to: number): Soon<boolean> {
    return this.#calls.write(() => this.#consumer.discard(from, to));
  }

  /** The highest id that any dead letter has had. */
  lastLetter(): Soon<number> {
    return this.#calls.read(() => this.#consumer.lastLetter());
  }

  /** The result is JSON. */
  status(): Soon<string> {
    return this.#calls.read((store) => this.#consumer.status(store));
  }

  /** Whether the documents cover the event at this position. */
  reached(position: number): Soon<boolean> {
    return this.#calls.read(() => this.#consumer.reached(position));
  }

  /** The result is JSON. */
  document(key: string): Soon<string | undefined> {
    return this.#calls.read(() => this.#consumer.document(key));
  }

  async documents(
    prefix: string,
    after: string,
    limit: number,
  ): Promise<ItemsPage<{ key: string; document: unknown }, string>> {
    return JSON.parse(
      await this.#calls.read(() => this.#consumer.documents(prefix, after, limit)),
    ) as ItemsPage<{ key: string; document: unknown }, string>;
  }

  async deadLetters(after: number, limit: number): Promise<ItemsPage<unknown, number>> {
    const page = await this.#calls.read(() => this.#consumer.deadLetters(after, limit));
    return JSON.parse(page) as ItemsPage<unknown, number>;
  }
}

/** Verifies exported lines, up to the first broken one. */
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

let randomnessGiven = false;

/**
 * Asks the platform for a random number. Ids need random numbers, and some places refuse them, such as a Worker's global
 * scope. Here the platform's error reaches the caller. Inside the engine, the same error would stop the engine.
 */
function askForRandomness(): void {
  if (randomnessGiven) return;
  crypto.getRandomValues(new Uint8Array(1));
  randomnessGiven = true;
}
