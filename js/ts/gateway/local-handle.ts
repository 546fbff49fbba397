import { checkedKey } from "../consumer/document-key.js";
import type {
  ConsumerStatus,
  DeadLetter,
  DeadLettersOptions,
  DocumentsOptions,
  GetOptions,
  KeyedDocument,
  ProjectionHandle,
} from "../consumer/handles.js";
import type { LocalEngine } from "../local/engine.js";
import { SillokError } from "../store/errors.js";
import { invalid } from "../store/invalid.js";
import { DOCUMENT_WAIT_MILLIS, PAGE_EVENTS } from "../store/limits.js";
import { checkOptions, checkSignal, type Signal } from "../store/options.js";
import { wantedLimit } from "../store/wanted.js";
import { sleep } from "../time/timers.js";
import { Turn } from "../time/turn.js";
import type { Runner } from "./runner.js";
import type { IdleReason } from "./work-loop.js";

const GET_OPTIONS = ["min", "signal"] as const satisfies (keyof GetOptions)[];
const DOCUMENTS_OPTIONS = [
  "prefix",
  "after",
  "limit",
] as const satisfies (keyof DocumentsOptions)[];
const LETTERS_OPTIONS = ["after", "limit"] as const satisfies (keyof DeadLettersOptions)[];

/** The handle of a consumer over a store in this program. */
export class LocalHandle implements ProjectionHandle {
  readonly #engine: LocalEngine;
  readonly #runner: Runner;

  constructor(engine: LocalEngine, runner: Runner) {
    this.#engine = engine;
    this.#runner = runner;
  }

  async status(): Promise<ConsumerStatus> {
    const { name, kind } = this.#runner.definition;
    const status = JSON.parse(await this.#runner.consumer.status()) as Omit<
      ConsumerStatus,
      "name" | "kind"
    >;
    return { name, kind, ...status };
  }

  async pause(): Promise<void> {
    await this.#runner.operate("pause");
  }

  async resume(): Promise<void> {
    await this.#runner.operate("resume");
  }

  async retry(): Promise<void> {
    await this.#runner.operate("retry");
  }

  async discard(id?: number): Promise<boolean> {
    if (id !== undefined) {
      checkId(id, "id");
      return this.#runner.discard(id, id);
    }
    // The call does not discard letters that are added from now on.
    const last = await this.#runner.consumer.lastLetter();
    const any = await this.#runner.discard(1, last);
    for (const turn = new Turn(); await this.#runner.discard(1, last);) {
      if (turn.isOver()) await turn.pass();
    }
    return any;
  }

  async rebuild(): Promise<void> {
    await this.#runner.operate("rebuild");
  }

  async *deadLetters(
    options: DeadLettersOptions = {},
  ): AsyncGenerator<DeadLetter, void, undefined> {
    checkOptions(options, LETTERS_OPTIONS);
    let { after = 0 } = options;
    const limit = wantedLimit(options.limit);
    checkId(after, "after");
    const turn = new Turn();
    for (let left = limit; left > 0;) {
      const page = await this.#runner.consumer.deadLetters(after, Math.min(left, PAGE_EVENTS));
      yield* page.items as DeadLetter[];
      if (page.next === null) return;
      if (turn.isOver()) await turn.pass();
      [after, left] = [page.next, left - page.items.length];
    }
  }

  async get(key: string, options: GetOptions = {}): Promise<unknown> {
    checkOptions(options, GET_OPTIONS);
    const { min, signal } = options;
    checkSignal(signal);
    if (min !== undefined) await this.#cover(min, signal);
    const document = await this.#runner.consumer.document(checkedKey(key));
    return document === undefined ? undefined : JSON.parse(document);
  }

  async *documents(options: DocumentsOptions = {}): AsyncGenerator<KeyedDocument, void, undefined> {
    checkOptions(options, DOCUMENTS_OPTIONS);
    const { prefix = "" } = options;
    let { after = "" } = options;
    const limit = wantedLimit(options.limit);
    for (const [field, text] of Object.entries({ prefix, after })) {
      if (typeof text !== "string" || !text.isWellFormed())
        throw invalid(field, "must be a string");
    }
    const turn = new Turn();
    for (let left = limit; left > 0;) {
      const page = await this.#runner.consumer.documents(
        prefix,
        after,
        Math.min(left, PAGE_EVENTS),
      );
      yield* page.items;
      if (page.next === null) return;
      if (turn.isOver()) await turn.pass();
      [after, left] = [page.next, left - page.items.length];
    }
  }

  /** Waits until the documents cover an event. */
  async #cover(min: NonNullable<GetOptions["min"]>, signal: Signal | undefined): Promise<void> {
    const { stream, version } = (min ?? {}) as typeof min;
    if (!Number.isSafeInteger(version) || version < 0) {
      throw invalid("min", "must have a `stream` and a `version`");
    }
    const stop = new AbortController();
    const end = () => stop.abort();
    // Another run of the consumer may take longer than this wait.
    const over = new Promise<IdleReason>((resolve) => {
      stop.signal.addEventListener("abort", () => resolve("interrupted"));
    });
    const timer = signal === undefined ? setTimeout(end, DOCUMENT_WAIT_MILLIS) : undefined;
    if (signal?.aborted) end();
    signal?.addEventListener("abort", end);
    try {
      for (;;) {
        const mark = await this.#engine.mark();
        const page = await this.#engine.readPage(stream, { limit: 1 });
        if (page.version >= version) break;
        if (stop.signal.aborted) throw behind(stream, version);
        await this.#engine.changed(mark, stop.signal, stream);
      }
      // The position after all present events, and so after that event.
      const position = await this.#engine.end();
      while (!(await this.#runner.consumer.reached(position))) {
        const rest = await Promise.race([this.#runner.work(stop.signal), over]);
        if (await this.#runner.consumer.reached(position)) break;
        if (typeof rest !== "number" || stop.signal.aborted) throw behind(stream, version);
        await sleep(rest, stop.signal);
      }
    } finally {
      clearTimeout(timer);
      signal?.removeEventListener("abort", end);
    }
  }
}

function behind(stream: string, version: number): SillokError {
  const detail = `the projection does not cover version ${version} of ${stream} yet`;
  return new SillokError({ code: "projection_behind", detail, field: "min" });
}

function checkId(id: number, field: string): void {
  if (!Number.isSafeInteger(id) || id < 0)
    throw invalid(field, "must be the id of a dead letter, a whole number from 0");
}
