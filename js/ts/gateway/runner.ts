// Runs one projection or reactor over a store in this program.

import { actsOf } from "../consumer/command.js";
import type { AnyConsumer, ConsumedEvent } from "../consumer/definition.js";
import { type DocumentsJson, projectOnto } from "../consumer/documents.js";
import { type FailedAttempt, failedAttempt } from "../consumer/failed-attempt.js";
import { project, type Projection } from "../consumer/projection.js";
import { react, type Reactor, type ReactorContext } from "../consumer/reactor.js";
import { checkStack } from "../consumer/stack.js";
import { LocalCommands } from "../local/commands.js";
import type { EngineConsumer } from "../local/engine-consumer.js";
import type { LocalEngine } from "../local/engine.js";
import { readStream } from "../local/read.js";
import { sleep } from "../time/timers.js";
import { Turn } from "../time/turn.js";

/** The reason why a consumer has no work now. A number is the time until the next work, in milliseconds. */
export type IdleReason = "idle" | "paused" | "stopped" | "interrupted" | number;

/** The number of a handler's first append or command. The number decides its idempotency key, or its id. */
const FIRST_COMMAND = 1;

/** The part of a reactor's context that reads. */
type Reads = Pick<ReactorContext, "read" | "load">;

export class Runner {
  readonly definition: AnyConsumer;
  readonly consumer: EngineConsumer;
  readonly #engine: LocalEngine;
  readonly #commands: LocalCommands;
  readonly #reads: Reads;
  /** One turn for all work of the runner: each piece is short, but other work waits for all of them together. */
  readonly #turn = new Turn();
  /** The running work: there is at most one. */
  #work: Promise<unknown> = Promise.resolve();
  /** The waiting runs. */
  readonly #waiting = new Set<() => void>();

  constructor(engine: LocalEngine, definition: AnyConsumer) {
    this.#engine = engine;
    this.#commands = new LocalCommands(engine);
    this.#reads = readsOf(engine, this.#commands);
    this.definition = definition;
    this.consumer = engine.consumerNow(definition);
  }

  /** Runs until `stop` is aborted. */
  async run(stop: AbortSignal): Promise<void> {
    while (!stop.aborted) {
      // It waits for changes before it works, so that it misses no event in between.
      const rested = new AbortController();
      const changed = this.#changed(rested, stop);
      // The work reports an error of the store.
      changed.catch(() => {});
      try {
        const rest = await this.work(stop);
        const early = typeof rest === "number" ? sleep(rest, rested.signal) : changed;
        await Promise.race([changed, early]);
      } finally {
        rested.abort();
      }
    }
  }

  /** Works until there is no work, or `stop` is aborted. */
  work(stop?: AbortSignal): Promise<IdleReason> {
    const work = this.#work.then(() => this.#steps(stop));
    this.#work = work.catch(() => {});
    return work;
  }

  /** Does an act of an operator. A waiting run continues now. */
  async operate(act: "pause" | "resume" | "retry" | "rebuild"): Promise<void> {
    await this.consumer.operate(act);
    this.#wake();
  }

  /** Discards the dead letters with these ids. A waiting run continues now. */
  async discard(from: number, to: number): Promise<boolean> {
    const any = await this.consumer.discard(from, to);
    this.#wake();
    return any;
  }

  #wake(): void {
    for (const wake of this.#waiting) wake();
  }

  /** Waits until the store may have changed, an operator has acted, or `stop` is aborted. */
  async #changed(rested: AbortController, stop: AbortSignal): Promise<void> {
    const end = () => rested.abort();
    stop.addEventListener("abort", end);
    this.#waiting.add(end);
    try {
      await this.#engine.changed(await this.#engine.mark(), rested.signal);
    } finally {
      this.#waiting.delete(end);
      stop.removeEventListener("abort", end);
    }
  }

  async #steps(stop?: AbortSignal): Promise<IdleReason> {
    await this.consumer.operate("wake");
    while (stop?.aborted !== true) {
      const step = await this.consumer.step((event, documents) => this.#project(event, documents));
      if (Array.isArray(step)) {
        const [id, attempt, event] = step as readonly [string, number, string];
        await this.#deliver(id, attempt, event);
      } else if (step !== "worked") {
        return step as IdleReason;
      }
      if (this.#turn.isOver()) await this.#turn.pass();
    }
    return "interrupted";
  }

  #project(text: string, json: DocumentsJson): FailedAttempt | undefined {
    try {
      const event = JSON.parse(text) as ConsumedEvent;
      projectOnto(json, (documents) => project(this.definition as Projection, event, documents));
      return undefined;
    } catch (error) {
      return failedAttempt(error);
    }
  }

  async #deliver(id: string, attempt: number, text: string): Promise<void> {
    const acts = actsOf(FIRST_COMMAND, {
      append: (...append) => this.consumer.append(id, ...append),
      execute: (n, stream, command, aggregate) =>
        this.#commands.attempt(
          stream,
          command,
          aggregate,
          { commandId: `${id}:${n}` },
          (commands, ready) => this.consumer.execute(id, n, stream, commands, ready),
        ),
    });
    const reads = this.#reads;
    const context: ReactorContext = Object.freeze({
      id,
      attempt,
      env: undefined,
      ...acts,
      ...reads,
    });
    const { definition } = this as { definition: Reactor };
    let wrong: FailedAttempt | undefined;
    try {
      const reacted = react(definition, JSON.parse(text) as ConsumedEvent, context);
      await within(definition.timeout, reacted);
    } catch (thrown) {
      wrong = failedAttempt(thrown);
    }
    await this.consumer.delivered(id, wrong);
  }
}

/** The reads of a reactor's handlers. On a full stack they throw, so that the engine is not cut off. */
function readsOf(engine: LocalEngine, commands: LocalCommands): Reads {
  return {
    async *read(stream, options = {}): AsyncGenerator<any, void, undefined> {
      checkStack();
      yield* readStream(engine, stream, options);
    },
    async load(stream, aggregate, options = {}) {
      checkStack();
      return commands.load(stream, aggregate, options);
    },
  };
}

/** Waits for the end of an attempt, for a number of milliseconds. */
async function within(milliseconds: number, attempt: Promise<void>): Promise<void> {
  const ended = new AbortController();
  const late = sleep(milliseconds, ended.signal).then(() => false);
  try {
    if (await Promise.race([attempt.then(() => true), late])) return;
  } finally {
    ended.abort();
  }
  throw new Error(`the attempt did not end within ${milliseconds} ms`);
}
