// The commands of a local store, and the states that it keeps in memory.

import type {
  AnyAggregate,
  CommandOutcome,
  ExecuteOptions,
  LoadedState,
  LoadOptions,
} from "../aggregate/aggregate-store.js";
import { type ReadyCommand, readyCommand, wantedState } from "../aggregate/command-input.js";
import { KEPT_STATES } from "../store/limits.js";
import { type EngineOutcome, outcomeOf } from "../aggregate/outcome.js";
import { Turn } from "../time/turn.js";
import type { Soon } from "../store/soon.js";
import type { EngineCommands, LocalEngine } from "./engine.js";
import { ThrowingBehaviour } from "./throwing-behaviour.js";

/** The state of one stream in memory. */
interface Kept {
  readonly behaviour: ThrowingBehaviour;
  readonly commands: EngineCommands;
  /** How many calls use it now. It must not be freed meanwhile. */
  uses: number;
}

/** One call of the engine for a command. Undefined if there is more of the state to load. */
type Execute = (commands: EngineCommands, command: ReadyCommand) => Soon<EngineOutcome | undefined>;

/** The commands of one store. */
export class LocalCommands {
  readonly #engine: LocalEngine;
  /** The states in memory. The one that was used last is the last. */
  readonly #kept = new Map<AnyAggregate, Map<string, Kept>>();
  #count = 0;

  constructor(engine: LocalEngine) {
    this.#engine = engine;
  }

  async attempt(
    stream: string,
    command: unknown,
    aggregate: AnyAggregate,
    options: ExecuteOptions,
    execute?: Execute,
  ): Promise<CommandOutcome> {
    const checked = readyCommand(stream, command, aggregate, options);
    const ready = "text" in checked ? checked : await checked;
    return this.#using(stream, aggregate, async ({ behaviour, commands }) => {
      const outcome = await worked(() =>
        execute === undefined
          ? this.#engine.execute(commands, behaviour, stream, ready, options)
          : execute(commands, ready),
      );
      return outcomeOf(outcome);
    });
  }

  async load<S>(
    stream: string,
    aggregate: AnyAggregate,
    options: LoadOptions,
  ): Promise<LoadedState<S>> {
    const wanted = wantedState(stream, aggregate, options);
    if (wanted === undefined) {
      return this.#using(stream, aggregate, async ({ behaviour, commands }) => {
        const loaded = await worked(() => this.#engine.load(commands, behaviour));
        return loaded as LoadedState<S>;
      });
    }
    const behaviour = new ThrowingBehaviour(aggregate, stream);
    const version = await this.#engine.loadAt(stream, behaviour, wanted);
    return { state: behaviour.value as S, version };
  }

  async #using<T>(
    stream: string,
    aggregate: AnyAggregate,
    work: (kept: Kept) => Promise<T>,
  ): Promise<T> {
    const kept = this.#keep(stream, aggregate);
    kept.uses += 1;
    try {
      return await work(kept);
    } finally {
      kept.uses -= 1;
    }
  }

  #keep(stream: string, aggregate: AnyAggregate): Kept {
    const streams = this.#kept.get(aggregate) ?? new Map<string, Kept>();
    let kept = streams.get(stream);
    if (kept === undefined) {
      const behaviour = new ThrowingBehaviour(aggregate, stream);
      kept = { behaviour, commands: this.#engine.commandsOf(stream, behaviour), uses: 0 };
      this.#count += 1;
    }
    // The last key of a map is the one that was set last.
    streams.delete(stream);
    streams.set(stream, kept);
    this.#kept.delete(aggregate);
    this.#kept.set(aggregate, streams);
    if (this.#count > KEPT_STATES) this.#letGo();
    return kept;
  }

  /** Frees the state that was used longest ago. */
  #letGo(): void {
    for (const [aggregate, streams] of this.#kept) {
      for (const [stream, kept] of streams) {
        if (kept.uses > 0) continue;
        streams.delete(stream);
        if (streams.size === 0) this.#kept.delete(aggregate);
        kept.commands.free();
        this.#count -= 1;
        return;
      }
    }
  }
}

/** Calls the engine until it has worked through all pages. */
async function worked<T>(call: () => T | undefined | Promise<T | undefined>): Promise<T> {
  // Nearly always the state is in memory, and the first call is the last.
  const first = await call();
  if (first !== undefined) return first;
  const turn = new Turn();
  for (;;) {
    const done = await call();
    if (done !== undefined) return done;
    if (turn.isOver()) await turn.pass();
  }
}
