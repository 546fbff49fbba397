import type { AnyAggregate } from "../aggregate/aggregate-store.js";
import { isAggregate } from "../aggregate/definition.js";
import { isProcess } from "../aggregate/process-rules.js";
import type { FailureListener } from "../consumer/app-failure.js";
import { type AnyConsumer, invalidConsumer, isConsumer } from "../consumer/definition.js";
import { reportFailure } from "../consumer/failures.js";
import type { AnyProcess, ProcessConsumer } from "../consumer/process-types.js";
import type { LocalEngine } from "../local/engine.js";
import { SillokError } from "../store/errors.js";
import { PendingRunner } from "./pending-runner.js";
import { Runner } from "./runner.js";
import { watcherOf } from "./watcher.js";
import type { WorkLoop } from "./work-loop.js";

/** The runners of everything that is registered with a gateway. */
export class Registered {
  readonly #consumers = new Map<string, Runner>();
  /** Runs the timers and the sent commands of all aggregates and processes. */
  #pending: PendingRunner | undefined;
  /** Called for each runner that is added during a run. */
  readonly running = new Set<(runner: WorkLoop) => void>();

  readonly #listener: FailureListener | undefined;

  /** `listener` hears of each failed attempt. */
  constructor(listener?: FailureListener) {
    this.#listener = listener;
  }

  /** Adds a definition. */
  add(engine: LocalEngine, definition: AnyConsumer | AnyAggregate): void {
    if (isAggregate(definition)) {
      this.#addAggregate(engine, definition);
    } else if (isConsumer(definition)) {
      this.#addConsumer(engine, definition);
    } else {
      const detail =
        "each argument must be a result of projection(), reactor(), aggregate() or process()";
      throw new SillokError({ code: "invalid_consumer", detail, field: "consumers" });
    }
  }

  /** The runner of a consumer. */
  consumer(name: string): Runner | undefined {
    return this.#consumers.get(name);
  }

  all(): WorkLoop[] {
    const consumers: WorkLoop[] = [...this.#consumers.values()];
    return this.#pending === undefined ? consumers : [...consumers, this.#pending];
  }

  #addAggregate(engine: LocalEngine, aggregate: AnyAggregate): void {
    const { name } = aggregate;
    if (this.#pending?.has(name)) throw taken(name);
    if (isProcess(aggregate)) {
      const process = aggregate as AnyProcess;
      if (process.consumer !== undefined) this.#addConsumer(engine, process.consumer, process);
    }
    if (this.#pending === undefined) {
      this.#pending = new PendingRunner(engine, this.#heard(engine));
      for (const start of this.running) start(this.#pending);
    }
    this.#pending.register(aggregate);
  }

  #addConsumer(
    engine: LocalEngine,
    consumer: AnyConsumer | ProcessConsumer,
    process?: AnyProcess,
  ): void {
    if (this.#consumers.has(consumer.name)) throw taken(consumer.name);
    const runner = new Runner(engine, consumer, this.#heard(engine), process);
    this.#consumers.set(consumer.name, runner);
    for (const start of this.running) start(runner);
  }

  /** What hears of a failed attempt: the watcher of a test application, or the log and the listener. */
  #heard(engine: LocalEngine): FailureListener {
    return watcherOf(engine)?.failed ?? ((failure) => reportFailure(failure, this.#listener));
  }
}

function taken(name: string): SillokError {
  return invalidConsumer("name", `must be unique: ${JSON.stringify(name)} is registered already`);
}
