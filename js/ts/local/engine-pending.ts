// The timers and the sent commands of a store in the engine, with types.

import type { ReadyCommand } from "../aggregate/command-input.js";
import type { EngineOutcome } from "../aggregate/outcome.js";
import type { Failure } from "../store/errors.js";
import type { Soon } from "../store/soon.js";
import type { DueCommandsInRust, EngineCommands, StoreInRust } from "./engine.js";
import { askForRandomness } from "./randomness.js";
import type { ThrowingBehaviour } from "./throwing-behaviour.js";

/** Own work: a timer to fire, or a stored answer to take. The stream, the key, and whether it is the key of a sent command. */
export type DueOwn = readonly [stream: string, key: string, isSent: boolean];
/** A command to send: the stream and the key of the process, the receiver, and the command as JSON. */
export type DueSend = readonly [stream: string, key: string, receiver: string, command: string];

/** The calls of its engine that the pending commands may make. */
interface PendingCalls {
  ask<T>(call: () => T): T;
  read<T>(call: (store: StoreInRust) => T): Soon<T>;
  writeTo<T>(stream: unknown, call: (store: StoreInRust) => T, of: object): Soon<T>;
  running<T>(behaviour: ThrowingBehaviour, call: () => T): T;
}

/**
 * The timers and the sent commands of a store, in the order of the engine. An attempt returns the time of the next attempt, in
 * milliseconds since 1970, if it has failed and is repeated; -1 if it has failed and is parked; otherwise 0. It returns undefined if there is more of the state to
 * load.
 */
export class EnginePending {
  readonly #due: DueCommandsInRust;
  readonly #calls: PendingCalls;

  constructor(due: DueCommandsInRust, calls: PendingCalls) {
    this.#due = due;
    this.#calls = calls;
  }

  /** The code of this category is there from now on. */
  register(category: string): void {
    this.#calls.ask(() => this.#due.register(category));
  }

  /**
   * The next work. `worked` means that there may be more. A number is the time at which the next work is due. Call
   * {@link EnginePending.ended} after the attempt at a timer or a sent command.
   */
  next(): Soon<DueOwn | DueSend | "worked" | "idle" | number> {
    return this.#calls.read((store) => this.#due.next(store));
  }

  /** The attempt has ended. */
  ended(stream: string, key: string, isSent: boolean): void {
    this.#calls.ask(() => this.#due.ended(stream, key, isSent));
  }

  /** Attempts a timer, or a stored answer. */
  fire(
    commands: EngineCommands,
    behaviour: ThrowingBehaviour,
    [stream, key, isSent]: DueOwn,
  ): Soon<number | undefined> {
    return this.#run(commands, behaviour, stream, (store) =>
      commands.fire(store, key, isSent, Math.random()),
    );
  }

  /** Whether the receiver remembers the outcome of a sent command. */
  remembers([, key, receiver]: DueSend): Soon<boolean> {
    return this.#calls.read((store) => store.remembersSent(receiver, key));
  }

  /** Executes a sent command at its receiver. Undefined if there is more of the state to load. */
  execute(
    commands: EngineCommands,
    behaviour: ThrowingBehaviour,
    [, key, receiver]: DueSend,
    { text, prepared }: ReadyCommand,
  ): Soon<EngineOutcome | undefined> {
    return this.#run(commands, behaviour, receiver, (store) =>
      commands.executeSent(store, text, key, prepared),
    );
  }

  /** Passes the answer to the process. */
  answered(
    commands: EngineCommands,
    behaviour: ThrowingBehaviour,
    [stream, key]: DueSend,
    { version, rejection }: EngineOutcome,
  ): Soon<number | undefined> {
    return this.#run(commands, behaviour, stream, (store) =>
      commands.answered(store, key, version, rejection, Math.random()),
    );
  }

  /** The time of the next attempt at a timer or a sent command that has failed, in milliseconds since 1970, or 0. */
  repeatedAt(stream: string, key: string, isSent: boolean): Soon<number> {
    return this.#calls.read((store) => store.repeatedAt(stream, key, isSent));
  }

  /** Notes that a sent command has no answer. */
  failed([stream, key]: DueSend, { code, detail }: Failure): Soon<number> {
    const note = (store: StoreInRust) => store.sendFailed(stream, key, code, detail, Math.random());
    return this.#calls.writeTo(stream, note, this.#due);
  }

  #run<T>(
    commands: EngineCommands,
    behaviour: ThrowingBehaviour,
    stream: string,
    call: (store: StoreInRust) => T,
  ): Soon<T> {
    askForRandomness();
    const { writeTo, running } = this.#calls;
    return writeTo(stream, (store) => running(behaviour, () => call(store)), commands);
  }
}
