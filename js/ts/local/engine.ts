// The engine in wasm, with types, and with its refusals as errors. No other file touches generated code.

import type { DocumentsHandle as DocumentsInRust } from "../../generated/sillok_js.js";
import {
  Commands as CommandsInRust,
  Consumer as ConsumerInRust,
  DueCommands as DueCommandsInRust,
  initSync,
  lateInput as lateInputInRust,
  LineProof,
  StateLoad as StateLoadInRust,
  Store as StoreInRust,
  StreamProof,
} from "../../generated/sillok_js.js";
import type { Database } from "../sqlite/database.js";
import { Patience } from "../sqlite/patience.js";
import type { ExecuteOptions, LoadedState, LoadOptions } from "../aggregate/aggregate-store.js";
import type { ReadyCommand } from "../aggregate/command-input.js";
import { type Rejection, SillokError } from "../store/errors.js";
import type { LocalAppendResult, TruncateResult, Verification } from "../store/events.js";
import { invalid } from "../store/invalid.js";
import type { WrittenJson } from "../store/json.js";
import type { StreamsOptions } from "../store/options.js";
import { checkPendingKey, type PendingKind, rejectionText } from "../store/pending.js";
import type { EngineOutcome } from "../aggregate/outcome.js";
import { sleep } from "../time/timers.js";
import type { Soon } from "../store/soon.js";
import { Calls } from "./calls.js";
import { askForRandomness } from "./randomness.js";
import { Changes, type Mark } from "./changes.js";
import { type DefinedConsumer, EngineConsumer, numbersOf } from "./engine-consumer.js";
import { EnginePending } from "./engine-pending.js";
import { checkStarted, engine } from "./started.js";
import type { LateInput } from "../aggregate/late-input.js";
import type { ThrowingBehaviour } from "./throwing-behaviour.js";
import type {
  CommitsPage,
  EngineAppend,
  EngineFeed,
  EngineHead,
  FeedPage,
  ReadRange,
  StreamPage,
  StreamsPage,
} from "./pages.js";
import { REACH } from "./reach.js";

/** Starts the engine. Every entry point calls it once, with the wasm in the form that its platform loads. */
export function start(module: BufferSource | WebAssembly.Module): void {
  initSync({ module });
  engine.isStarted = true;
}

/**
 * The decision about an input before the start or after the end of a process, as JSON. Undefined if the code of the process
 * decides. For the tests of `sillok/testing`, which have no engine of their own.
 */
export const lateInput: LateInput = (input, isBegun, isEnded) =>
  lateInputInRust(input, isBegun, isEnded);

// For the other files of this room.
export type { CommandsInRust, ConsumerInRust, DocumentsInRust, DueCommandsInRust, StoreInRust };

/** The commands of one stream in the engine. */
export type EngineCommands = CommandsInRust;

/**
 * The engine of one store: streams in a database or, without one, in memory. While another connection has locked the file, a
 * call waits for the lock. The methods whose names end in `Now` block the program meanwhile.
 */
export class LocalEngine {
  readonly #database: Database | undefined;
  readonly #patience: Patience;
  readonly #changes: Changes;
  readonly #clock: (() => number) | undefined;
  #store: StoreInRust | undefined;
  /** The code of the caller that runs within a call of the engine. It must not use the store. */
  #within: keyof typeof REACH | undefined;
  readonly #calls = new Calls(() => {
    this.#database?.cutOff();
    // Not now: the stack may have no room for it.
    queueMicrotask(() => this.close());
  });

  /** `clock` is a clock of the store's own, in milliseconds since 1970. */
  constructor(database?: Database, clock?: () => number) {
    this.#database = database;
    this.#clock = clock;
    this.#patience = new Patience(database?.busyTimeout ?? 0, () => database?.mayWrite() ?? true);
    this.#changes = new Changes(database);
    checkStarted();
    this.#store = new StoreInRust(database);
  }

  get hasOwnClock(): boolean {
    return this.#clock !== undefined;
  }

  /** The time by the clock of the store, in milliseconds since 1970. */
  now(): number {
    const time = this.#clock === undefined ? Date.now() : this.#clock();
    if (Number.isFinite(time) && time >= 0) return Math.floor(time);
    throw invalid("now", "must return milliseconds since 1970, a finite number from 0");
  }

  append(
    stream: unknown,
    events: string,
    expected: unknown,
    key: unknown,
  ): Soon<LocalAppendResult> {
    askForRandomness();
    return this.#writeTo(stream, (store) => store.append(stream, events, expected, key));
  }

  appendAll(appends: readonly EngineAppend[]): Soon<LocalAppendResult[]> {
    askForRandomness();
    // Without a name, the subscriptions to each stream look for new events.
    return this.#writeTo(undefined, (store) => store.appendAll(appends as never));
  }

  head(stream: unknown): Soon<EngineHead> {
    return this.#read((store) => store.head(stream));
  }

  readPage(stream: unknown, range: ReadRange): Soon<StreamPage> {
    return this.#read((store) => store.readPage(stream, range));
  }

  readFeed(wanted: EngineFeed): Soon<FeedPage> {
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
    const { name, kind, after, category, types, onFailure } = definition;
    const feed = { after, category, types };
    const open = (store: StoreInRust) =>
      ConsumerInRust.open(store, name, kind, feed, onFailure, numbersOf(definition));
    const opened = this.#patience.readNow(() => this.#ask(open));
    return new EngineConsumer(opened, {
      read: (call) => this.#read(call, opened),
      write: (call) => this.#write(call, opened),
      writeTo: (stream, call) => this.#writeTo(stream, call, opened),
      projecting: (work) => {
        this.#within = "projection";
        try {
          return work();
        } finally {
          this.#within = undefined;
          this.#calls.wereCutOff(1);
        }
      },
      whole: (call) => this.#calls.run(call),
    });
  }

  /** A page of the timers or of the sent commands of a stream. The items are JSON. */
  pendingPage(
    stream: unknown,
    kind: PendingKind,
    after?: string,
  ): Soon<{ items: string; next?: string }> {
    return this.#read((store) => store.pending(stream, kind === "sent", after));
  }

  /** Removes a timer or a sent command. Returns whether there was one. */
  cancelPending(stream: unknown, kind: PendingKind, key: string): Soon<boolean> {
    checkPendingKey(kind, key);
    return this.#writeTo(stream, (store) => store.cancelPending(stream, key, kind === "sent"));
  }

  /** Attempts a parked timer or sent command again. Returns whether there was one. */
  retryPending(stream: unknown, kind: PendingKind, key: string): Soon<boolean> {
    checkPendingKey(kind, key);
    return this.#writeTo(stream, (store) => store.retryPending(stream, key, kind === "sent"));
  }

  /** Answers a parked sent command in place of its receiver. Returns whether there was one. */
  rejectSent(stream: unknown, id: string, rejection: Rejection): Soon<boolean> {
    checkPendingKey("sent", id);
    const text = rejectionText(rejection);
    return this.#writeTo(stream, (store) => store.rejectSent(stream, id, text));
  }

  /** The timers and the sent commands of this store. */
  pending(): EnginePending {
    const due = this.#ask(() => new DueCommandsInRust());
    return new EnginePending(due, {
      ask: (call) => this.#ask(call, due),
      read: (call) => this.#read(call, due),
      writeTo: (stream, call, of) => this.#writeTo(stream, call, of),
      running: (behaviour, call) => this.#running(behaviour, call),
    });
  }

  /** The commands of a stream, whose aggregate's code is `behaviour`. Free them when nobody needs their state. */
  commandsOf(stream: unknown, behaviour: ThrowingBehaviour): EngineCommands {
    return this.#ask(() => new CommandsInRust(stream, behaviour));
  }

  /** Executes a command. Undefined if there is more of the state to load. */
  execute(
    commands: EngineCommands,
    behaviour: ThrowingBehaviour,
    stream: unknown,
    { text, prepared }: ReadyCommand,
    { expectedVersion, commandId }: ExecuteOptions,
  ): Soon<EngineOutcome | undefined> {
    askForRandomness();
    return this.#writeTo(
      stream,
      (store) =>
        this.#running(behaviour, () =>
          commands.execute(store, text, expectedVersion, commandId, prepared),
        ),
      commands,
    );
  }

  /** Loads a page of the present state. Returns the state and its version, or undefined if there is more to load. */
  load(
    commands: EngineCommands,
    behaviour: ThrowingBehaviour,
  ): Soon<LoadedState<unknown> | undefined> {
    return this.#read((store) => {
      const version: number | undefined = this.#running(behaviour, () => commands.load(store));
      // Another call may change the state after this one.
      return version === undefined ? undefined : { state: behaviour.value, version };
    }, commands);
  }

  /** Loads the state at a version or a time into `behaviour`, page by page. Returns its version. */
  async loadAt(
    stream: unknown,
    behaviour: ThrowingBehaviour,
    { version, time }: LoadOptions,
  ): Promise<number> {
    const load = this.#ask(() => new StateLoadInRust(stream, behaviour, version, time));
    try {
      for (;;) {
        const loaded: number | undefined = await this.#read(
          (store) => this.#running(behaviour, () => load.load(store)),
          load,
        );
        if (loaded !== undefined) return loaded;
        await sleep(0);
      }
    } finally {
      load.free();
    }
  }

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

  /** Makes a call of the engine in which the aggregate's code runs. */
  #running<T>(behaviour: ThrowingBehaviour, call: () => T): T {
    this.#within = "aggregate";
    try {
      return behaviour.raising(call);
    } finally {
      this.#within = undefined;
    }
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
    if (this.#clock !== undefined) store.setTime(this.now());
    const run = () => this.#calls.run(() => call(store), store, of);
    return this.#database === undefined ? run() : this.#database.inPlace(run);
  }

  /** The store, if it can be called now. */
  #usable(): StoreInRust {
    if (this.#calls.wereCutOff(this.#within === undefined ? 0 : 1)) {
      if (this.#within === undefined) this.close();
      throw this.#calls.refusal();
    }
    if (this.#store === undefined) {
      throw new SillokError({ code: "storage_failed", detail: "the store was closed" });
    }
    this.#checkReach();
    return this.#store;
  }

  #checkReach(): void {
    if (this.#within !== undefined) throw new SillokError(REACH[this.#within]);
  }
}

/** Verifies exported lines, up to the first broken one. */
export async function verifyLines(
  lines: Iterable<unknown> | AsyncIterable<unknown>,
): Promise<Verification> {
  checkStarted();
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
