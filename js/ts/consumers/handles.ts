import type { Engine } from "../engine.js";
import { SillokError } from "../errors.js";
import type { Stored } from "../events.js";
import { invalid } from "../invalid.js";
import { checkOptions, type Signal } from "../options.js";
import type { ConsumedEvent } from "./definition.js";
import { checkedKey, type Runner, sleep } from "./runner.js";

/** How a consumer does. */
export interface ConsumerStatus {
  /** Its name. */
  name: string;
  /** What it is. */
  kind: "projection" | "reactor";
  /** Whether it may run: `paused` by {@link ConsumerHandle.pause}, `stopped` in front of an event that failed. */
  status: "running" | "paused" | "stopped";
  /** How far it has come. */
  checkpoint: string;
  /** How many events there are that it has not looked at. */
  lag: number;
  /** How far the documents have come that are being built anew, if they are. */
  rebuild: { checkpoint: string; lag: number } | null;
  /** How often the next event has failed. */
  failures: number;
  /** When it is attempted again. */
  retryAt: string | null;
  /** The last error, also of an event that succeeded later. */
  lastError: { message: string; time: string } | null;
  /** How many events it has given up. */
  deadLetters: number;
  /** Whether these are being attempted again. */
  retrying: boolean;
}

/** An event that a consumer has given up. */
export interface DeadLetter {
  /** Its place among the dead letters of the consumer, in the order in which they came. */
  id: number;
  /** Whether its attempts have failed, or it is held because an earlier event of its stream has failed. */
  reason: "failed" | "held";
  /** What the last attempt said; empty where there was none. */
  error: string;
  /** How many attempts there were. */
  attempts: number;
  /** When it was given up. */
  time: string;
  /** The event. */
  event: ConsumedEvent;
}

/** A document and its key. */
export interface KeyedDocument<Document = unknown> {
  /** Its key. */
  key: string;
  /** The document, a fresh copy. */
  document: Stored<Document>;
}

/** Which document to get, and how new it must be. */
export interface GetOptions {
  /** An event that the document must cover, such as what an append answered: it is waited for. Default: none. */
  readonly min?: { readonly stream: string; readonly version: number } | undefined;
  /** Ends the wait when it is aborted. */
  readonly signal?: Signal | undefined;
}

/** Which documents to list. */
export interface DocumentsOptions {
  /** With what the keys begin. Default: with anything. */
  readonly prefix?: string | undefined;
  /** The key after which to begin, in the order of the keys' bytes. Default: the first. */
  readonly after?: string | undefined;
  /** The most documents to list: a whole number from 1. Default: all. */
  readonly limit?: number | undefined;
}

/** Which dead letters to list. */
export interface DeadLettersOptions {
  /** The id after which to begin. Default: the first. */
  readonly after?: number | undefined;
  /** The most letters to list: a whole number from 1. Default: all. */
  readonly limit?: number | undefined;
}

const GET_OPTIONS = ["min", "signal"] as const satisfies (keyof GetOptions)[];
const DOCUMENTS_OPTIONS = [
  "prefix",
  "after",
  "limit",
] as const satisfies (keyof DocumentsOptions)[];
const LETTERS_OPTIONS = ["after", "limit"] as const satisfies (keyof DeadLettersOptions)[];
/** How much is asked of the engine at once. */
const PAGE = 1000;

/** What can be asked of a projection or a reactor that was registered: see {@link EventGateway.consumer}. */
export interface ConsumerHandle {
  /** How it does. */
  status(): Promise<ConsumerStatus>;
  /** Stops it where it is, also for other processes and for ever, until it is resumed. */
  pause(): Promise<void>;
  /** Lets it go on. An event in front of which it had stopped has a new series of attempts. */
  resume(): Promise<void>;
  /** Attempts all dead letters again, in their order. One that stopped is resumed. */
  retry(): Promise<void>;
  /** The events that it has given up. */
  deadLetters(options?: DeadLettersOptions): AsyncGenerator<DeadLetter, void, undefined>;
}

/** What can be asked of a projection that was registered: see {@link EventGateway.projection}. */
export interface ProjectionHandle<Document = unknown> extends ConsumerHandle {
  /**
   * The document of this key; `undefined` where there is none. With `min` it waits until the document covers that event,
   * and brings the projection there itself if nobody runs it.
   */
  get(key: string, options?: GetOptions): Promise<Stored<Document> | undefined>;
  /** The documents, in the order of their keys. */
  documents(options?: DocumentsOptions): AsyncGenerator<KeyedDocument<Document>, void, undefined>;
  /** Builds all documents anew from the first event, beside those that are read until the new ones take their place. */
  rebuild(): Promise<void>;
}

export class Handle implements ProjectionHandle {
  readonly #engine: Engine;
  readonly #runner: Runner;

  constructor(engine: Engine, runner: Runner) {
    this.#engine = engine;
    this.#runner = runner;
  }

  async status(): Promise<ConsumerStatus> {
    const { name, kind } = this.#runner.definition;
    const status = JSON.parse(this.#runner.consumer.status()) as Omit<
      ConsumerStatus,
      "name" | "kind"
    >;
    return { name, kind, ...status };
  }

  async pause(): Promise<void> {
    this.#runner.operate("pause");
  }

  async resume(): Promise<void> {
    this.#runner.operate("resume");
  }

  async retry(): Promise<void> {
    this.#runner.operate("retry");
  }

  async rebuild(): Promise<void> {
    this.#runner.operate("rebuild");
  }

  async *deadLetters(
    options: DeadLettersOptions = {},
  ): AsyncGenerator<DeadLetter, void, undefined> {
    checkOptions(options, LETTERS_OPTIONS);
    const { limit = Infinity } = options;
    let { after = 0 } = options;
    checkLimit(limit);
    if (!Number.isSafeInteger(after) || after < 0) throw invalid("after", "must be a letter's id");
    for (let left = limit; left > 0;) {
      const page = this.#runner.consumer.deadLetters(after, Math.min(left, PAGE));
      yield* page.items as DeadLetter[];
      if (page.next === null) return;
      [after, left] = [page.next, left - page.items.length];
    }
  }

  async get(key: string, options: GetOptions = {}): Promise<unknown> {
    checkOptions(options, GET_OPTIONS);
    const { min, signal } = options;
    if (min !== undefined) await this.#cover(min, signal);
    const document = this.#runner.consumer.document(checkedKey(key));
    return document === undefined ? undefined : JSON.parse(document);
  }

  async *documents(options: DocumentsOptions = {}): AsyncGenerator<KeyedDocument, void, undefined> {
    checkOptions(options, DOCUMENTS_OPTIONS);
    const { prefix = "", limit = Infinity } = options;
    let { after = "" } = options;
    checkLimit(limit);
    for (const [field, text] of Object.entries({ prefix, after })) {
      if (typeof text !== "string" || !text.isWellFormed()) throw invalid(field, "must be a text");
    }
    for (let left = limit; left > 0;) {
      const page = this.#runner.consumer.documents(prefix, after, Math.min(left, PAGE));
      yield* page.items;
      if (page.next === null) return;
      [after, left] = [page.next, left - page.items.length];
    }
  }

  /** Waits until the documents cover an event. */
  async #cover(
    { stream, version }: NonNullable<GetOptions["min"]>,
    signal: Signal | undefined,
  ): Promise<void> {
    if (!Number.isSafeInteger(version) || version < 0) {
      throw invalid("min", "must be a stream and a version");
    }
    const stop = new AbortController();
    const end = () => stop.abort();
    if (signal?.aborted) end();
    signal?.addEventListener("abort", end);
    try {
      for (;;) {
        const mark = this.#engine.mark();
        if (this.#engine.readPage(stream, { limit: 1 }).version >= version) break;
        if (stop.signal.aborted) throw behind(stream, version);
        await this.#engine.changed(mark, stop.signal, stream);
      }
      // Whatever was written by now is covered, and so is that event.
      const position = this.#engine.end();
      while (!this.#runner.consumer.reached(position)) {
        const rest = await this.#runner.work(stop.signal);
        if (this.#runner.consumer.reached(position)) break;
        if (typeof rest !== "number" || stop.signal.aborted) throw behind(stream, version);
        await sleep(rest - Date.now(), stop.signal);
      }
    } finally {
      signal?.removeEventListener("abort", end);
    }
  }
}

function behind(stream: string, version: number): SillokError {
  const detail = `the projection does not cover version ${version} of ${stream} yet`;
  return new SillokError({ code: "projection_behind", detail, field: "min" });
}

function checkLimit(limit: number): void {
  if (limit === Infinity || (Number.isSafeInteger(limit) && limit > 0)) return;
  throw invalid("limit", "must be a whole number from 1");
}
