// The commands of a local store, and the states that it keeps in memory.

import type {
  AnyAggregate,
  CommandOutcome,
  ExecuteOptions,
  LoadedState,
  LoadOptions,
} from "../aggregate/aggregate-store.js";
import { type ReadyCommand, readyCommand, wantedState } from "../aggregate/command-input.js";
import { KeptStates } from "../aggregate/kept-states.js";
import { type EngineOutcome, outcomeOf } from "../aggregate/outcome.js";
import { Turn } from "../time/turn.js";
import type { Soon } from "../store/soon.js";
import type { EngineCommands, LocalEngine } from "./engine.js";
import { ThrowingBehaviour } from "./throwing-behaviour.js";

/** The state of one stream in memory. */
interface Kept {
  readonly behaviour: ThrowingBehaviour;
  readonly commands: EngineCommands;
}

/** One call of the engine for a command. Undefined if there is more of the state to load. */
type Execute = (commands: EngineCommands, command: ReadyCommand) => Soon<EngineOutcome | undefined>;

/** The commands of one store. */
export class LocalCommands {
  readonly #engine: LocalEngine;
  readonly #kept: KeptStates<Kept>;

  constructor(engine: LocalEngine) {
    this.#engine = engine;
    const make = (stream: string, aggregate: AnyAggregate) => {
      const behaviour = new ThrowingBehaviour(aggregate, stream);
      return { behaviour, commands: engine.commandsOf(stream, behaviour) };
    };
    this.#kept = new KeptStates<Kept>(make, ({ commands }) => commands.free());
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
    const outcome = await this.using(stream, aggregate, (commands, behaviour) =>
      execute === undefined
        ? this.#engine.execute(commands, behaviour, stream, ready, options)
        : execute(commands, ready),
    );
    return outcomeOf(outcome, aggregate.events);
  }

  /** Calls the engine with the state of a stream, until it has worked through all pages. */
  using<T>(
    stream: string,
    aggregate: AnyAggregate,
    call: (commands: EngineCommands, behaviour: ThrowingBehaviour) => Soon<T | undefined>,
  ): Promise<T> {
    return this.#kept.using(stream, aggregate, ({ behaviour, commands }) =>
      worked(() => call(commands, behaviour)),
    );
  }

  async load<S>(
    stream: string,
    aggregate: AnyAggregate,
    options: LoadOptions,
  ): Promise<LoadedState<S>> {
    const wanted = wantedState(stream, aggregate, options);
    if (wanted === undefined) {
      const loaded = await this.using(stream, aggregate, (commands, behaviour) =>
        this.#engine.load(commands, behaviour),
      );
      return loaded as LoadedState<S>;
    }
    const behaviour = new ThrowingBehaviour(aggregate, stream);
    const version = await this.#engine.loadAt(stream, behaviour, wanted);
    return { state: behaviour.value as S, version };
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
