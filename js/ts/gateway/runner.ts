// Runs one projection or reactor, or the consumer of a process, over a store in this program.

import { actsOf } from "../consumer/command.js";
import type { AnyConsumer, ConsumedEvent } from "../consumer/definition.js";
import { type DocumentsJson, projectOnto } from "../consumer/documents.js";
import type { FailureListener } from "../consumer/app-failure.js";
import type { FailedAttempt } from "../consumer/failed-attempt.js";
import { Failures } from "../consumer/failures.js";
import { follow } from "../consumer/process.js";
import type { AnyProcess, ProcessConsumer } from "../consumer/process-types.js";
import { project, type Projection } from "../consumer/projection.js";
import { react, type Reactor, type ReactorContext } from "../consumer/reactor.js";
import { checkStack } from "../consumer/stack.js";
import { LocalCommands } from "../local/commands.js";
import type { EngineConsumer } from "../local/engine-consumer.js";
import type { LocalEngine } from "../local/engine.js";
import { readStream } from "../local/read.js";
import { sleep, within } from "../time/timers.js";
import { Turn } from "../time/turn.js";
import { watcherOf } from "./watcher.js";
import { type IdleReason, WorkLoop } from "./work-loop.js";

/** The number of a handler's first append or command. The number decides its idempotency key, or its id. */
const FIRST_COMMAND = 1;

/** The part of a reactor's context that reads. */
type Reads = Pick<ReactorContext, "read" | "load">;

export class Runner extends WorkLoop {
  readonly definition: AnyConsumer | ProcessConsumer;
  readonly consumer: EngineConsumer;
  readonly #engine: LocalEngine;
  readonly #commands: LocalCommands;
  readonly #reads: Reads;
  readonly #process: AnyProcess | undefined;
  readonly #env: unknown;
  readonly #failures = new Failures();
  readonly #heard: FailureListener;
  /** Whether an attempt has failed that the engine has not reported yet. */
  #hasFailed = false;
  /** One turn for all work of the runner: each piece is short, but other work waits for all of them together. */
  readonly #turn = new Turn();

  /** Runs a consumer. `process` is the process whose consumer it is. `failed` hears of each failed attempt. */
  constructor(
    engine: LocalEngine,
    definition: AnyConsumer | ProcessConsumer,
    failed: FailureListener,
    process?: AnyProcess,
  ) {
    super(engine);
    this.#engine = engine;
    this.#env = watcherOf(engine)?.env;
    this.#heard = failed;
    this.#commands = new LocalCommands(engine);
    this.#reads = readsOf(engine, this.#commands);
    this.#process = process;
    this.definition = definition;
    this.consumer = engine.consumerNow(definition);
  }

  async rest(stop: AbortSignal): Promise<number | undefined> {
    while (!stop.aborted) {
      const rest = await this.work(stop);
      if (typeof rest !== "number") return undefined;
      if (this.#engine.hasOwnClock) return this.#engine.now() + rest;
      await sleep(rest, stop);
    }
    return undefined;
  }

  /** Does an act of an operator. A waiting run continues now. */
  async operate(act: "pause" | "resume" | "retry" | "rebuild"): Promise<void> {
    await this.consumer.operate(act);
    this.wake();
  }

  /** Discards the dead letters with these ids. A waiting run continues now. */
  async discard(from: number, to: number): Promise<boolean> {
    const any = await this.consumer.discard(from, to);
    this.wake();
    return any;
  }

  protected async steps(stop?: AbortSignal): Promise<IdleReason> {
    await this.consumer.operate("wake");
    while (stop?.aborted !== true) {
      const step = await this.consumer.step((event, documents) => this.#project(event, documents));
      if (Array.isArray(step)) {
        const [id, attempt, event] = step as readonly [string, number, string];
        await this.#deliver(id, attempt, event);
      }
      if (this.#hasFailed) await this.#report();
      if (!Array.isArray(step) && step !== "worked") return step as IdleReason;
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
      return this.#failed(text, error);
    }
  }

  async #deliver(id: string, attempt: number, text: string): Promise<void> {
    const process = this.#process;
    let wrong: FailedAttempt | undefined;
    try {
      await (process === undefined
        ? this.#react(id, attempt, text)
        : this.#follow(id, text, process));
    } catch (thrown) {
      wrong = this.#failed(text, thrown);
    }
    await this.consumer.delivered(id, wrong);
  }

  #failed(text: string, thrown: unknown): FailedAttempt {
    this.#hasFailed = true;
    return this.#failures.note(text, thrown);
  }

  /** Reports the failed attempts. */
  async #report(): Promise<void> {
    this.#hasFailed = false;
    for (const report of await this.consumer.takeFailures()) {
      this.#heard(this.#failures.failure(report, { consumer: this.definition.name }));
    }
  }

  /** Delivers an event to the instance of the process that it is for. */
  #follow(id: string, text: string, process: AnyProcess): Promise<void> {
    const deliver = (stream: string, _: string, starts: boolean) =>
      this.#commands.using(stream, process, (commands) =>
        this.consumer.deliver(id, stream, commands, starts),
      );
    return follow(this.definition as ProcessConsumer, text, { deliver });
  }

  async #react(id: string, attempt: number, text: string): Promise<void> {
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
    const own = { id, attempt, env: this.#env };
    const context: ReactorContext = Object.freeze({ ...own, ...acts, ...this.#reads });
    const { definition } = this as { definition: Reactor };
    const reacted = react(definition, JSON.parse(text) as ConsumedEvent, context);
    await within(definition.timeout, reacted);
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
