// A consumer in the engine, with types.

import { POLICY_TIMEOUT_MILLIS } from "../store/limits.js";
import type { ConsumerDefinition } from "../consumer/definition.js";
import type { FailureReport } from "../consumer/failures.js";
import type { DocumentsJson } from "../consumer/documents.js";
import type { FailedAttempt } from "../consumer/failed-attempt.js";
import type { ReadyCommand } from "../aggregate/command-input.js";
import type { AppendResult } from "../store/events.js";
import type { EngineOutcome } from "../aggregate/outcome.js";
import type { Soon } from "../store/soon.js";
import type { CommandsInRust, ConsumerInRust, DocumentsInRust, StoreInRust } from "./engine.js";
import type { ItemsPage } from "./pages.js";
import { askForRandomness } from "./randomness.js";

/** A projection or a reactor, without its handlers. */
export interface DefinedConsumer extends ConsumerDefinition {
  readonly kind: string;
  readonly after?: string | undefined;
  readonly timeout?: number;
  readonly version?: number;
}

/** The numbers of a definition, in the order in which the engine takes them. */
export function numbersOf(definition: DefinedConsumer): Uint32Array {
  const { attempts, firstDelay, longestDelay } = definition;
  const { timeout = POLICY_TIMEOUT_MILLIS, version = 1 } = definition;
  return Uint32Array.of(attempts, firstDelay, longestDelay, timeout, version);
}

/** The result of {@link EngineConsumer.step}. */
export type Step =
  "worked" | "idle" | "paused" | "stopped" | number | readonly [string, number, string];

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

  /**
   * Executes a command as the number `n` of the delivery with this id, which has not ended. Undefined if there is more of the
   * state to load.
   */
  execute(
    id: string,
    n: number,
    stream: unknown,
    commands: CommandsInRust,
    { text, prepared }: ReadyCommand,
  ): Soon<EngineOutcome | undefined> {
    askForRandomness();
    return this.#calls.writeTo(stream, (store) =>
      this.#consumer.execute(store, id, n, commands, text, prepared),
    );
  }

  /**
   * Delivers the event of the delivery with this id, which has not ended, to the instance of a process. Undefined if there is
   * more of the state to load.
   */
  deliver(
    id: string,
    stream: unknown,
    commands: CommandsInRust,
    starts: boolean,
  ): Soon<EngineOutcome | undefined> {
    askForRandomness();
    return this.#calls.writeTo(stream, (store) =>
      this.#consumer.deliver(store, id, commands, starts),
    );
  }

  /** Ends a delivery: with the failed attempt, or with success. */
  delivered(id: string, wrong: FailedAttempt | undefined): Soon<void> {
    return this.#calls.write((store) => this.#consumer.delivered(store, id, wrong, Math.random()));
  }

  /** The reports of the attempts that have failed since the last call. */
  async takeFailures(): Promise<FailureReport[]> {
    return JSON.parse(await this.#calls.read(() => this.#consumer.takeFailures()));
  }

  operate(act: "pause" | "resume" | "retry" | "rebuild" | "wake"): Soon<void> {
    return this.#calls.write((store) => this.#consumer.operate(store, act));
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
