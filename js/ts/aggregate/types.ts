import type { Rejection } from "../store/errors.js";
import type { AppendedEvent, NewEvent, StoredField } from "../store/events.js";
import type { EventDefinitions } from "./events.js";
import type { Cancelled, Scheduled } from "./pending.js";
import type { Rejected } from "./reject.js";
import type { StandardSchema } from "./schema.js";

/** A command: what somebody asks an aggregate to do. */
export interface Command {
  /** The name of the command, in the imperative, such as `Withdraw`. */
  readonly type: string;
  /** The content of the command: any value that JSON can represent. Default: `null`. */
  readonly data?: unknown;
  /** Information about the command, such as a correlation id: an object. Default: `{}`. */
  readonly metadata?: object | undefined;
}

/** The last argument of `decide`: everything about a command but its content. */
export interface CommandContext {
  /** The stream of the aggregate, such as `account-42`. */
  readonly stream: string;
  /** The version of the state; 0 if the stream has no events. */
  readonly version: number;
  /** The time of the decision, in milliseconds since 1970. Use it instead of `Date.now()`. */
  readonly now: number;
  /** The id of the command, if the caller has set one. */
  readonly commandId: string | undefined;
  /** The metadata of the command. */
  readonly metadata: Readonly<Record<string, unknown>>;
  /** The timer that sends the command. Undefined for a command of a caller, and for the other inputs of a process. */
  readonly timer: FiredTimer | undefined;
}

/** A timer whose command is decided. */
export interface FiredTimer {
  /** The key of the timer. */
  readonly key: string;
  /** The time at which the timer was due, in milliseconds since 1970. The decision may be later. */
  readonly due: number;
}

/** The last argument of `prepare`. */
export interface PrepareContext {
  /** The stream of the aggregate, such as `account-42`. */
  readonly stream: string;
  /** The id of the command, if the caller has set one. */
  readonly commandId: string | undefined;
}

/** A part of a decision of an aggregate: an event, or a timer of {@link schedule} or {@link cancel}. */
export type DecisionPart<E extends NewEvent = NewEvent, C extends Command = never> =
  AppendedEvent<E> | Scheduled<C> | Cancelled;

/**
 * What `decide` returns: an event or a timer, several of them, `[]` if nothing happens, or a rejection of {@link reject}. Never a
 * promise. `C` are the commands of timers.
 */
export type Decision<
  E extends NewEvent = NewEvent,
  R extends Rejection = Rejection,
  C extends Command = never,
> = DecisionPart<E, C> | readonly DecisionPart<E, C>[] | Rejected<R>;

/** A message as `decide` or `evolve` gets it: only its type, and its data after it was written as JSON. */
export type Received<Message extends Command | NewEvent> = Message extends unknown
  ? { readonly type: Message["type"]; readonly data: StoredField<Message, "data", null> }
  : never;

/** Options of both forms of {@link aggregate}. */
export interface AggregateOptions<C extends Command = Command> {
  /**
   * Looks up what a command needs, such as a rate of another service, and returns the command with it. It runs before the
   * decision, outside of its transaction, and may return a promise. A schema checks the command that it returns.
   */
  readonly prepare?: ((command: C, context: PrepareContext) => C | Promise<C>) | undefined;
  /** The version of the state: a whole number from 1. Increase it when you change `evolve` or the state. Default: 1. */
  readonly stateVersion?: number | undefined;
  /**
   * After how many events a snapshot of the state is due, or after how many bytes of events, whichever comes first. With
   * `false` there are no snapshots. Default: 500 events, and no bound of bytes.
   */
  readonly snapshotEvery?:
    | number
    | false
    | { readonly events?: number | undefined; readonly bytes?: number | undefined }
    | undefined;
  /** The action at a stored event whose type is not declared: an error, or no change of the state. Default: `"fail"`. */
  readonly unknownEvents?: "fail" | "skip" | undefined;
  /** How long the outcome under a command id is remembered, in milliseconds. Default: `"forever"`, as long as the stream. */
  readonly rememberOutcomes?: number | "forever" | undefined;
  /** With `"open"`, everyone who may append can also append events to the streams directly, past the rules. */
  readonly appends?: "open" | undefined;
}

/** An aggregate, made by {@link aggregate}. A {@link Process} is also an aggregate. */
export interface Aggregate<
  E extends NewEvent = NewEvent,
  C extends Command = Command,
  S = unknown,
  R extends Rejection = Rejection,
  Name extends string = string,
> {
  /** The kind of the definition. */
  readonly kind: "aggregate" | "process";
  /** The category of the streams, such as `account` for `account-42`. */
  readonly name: Name;
  /** The declared events. A projection or a reactor takes them as its option `events`. */
  readonly events: EventDefinitions<E>;
  /** The declared commands with their schemas; undefined if the aggregate does not declare its commands. */
  readonly commands: Readonly<Record<string, StandardSchema>> | undefined;
  /** The state of a stream without events. */
  readonly initialState: () => S;
  /** Decides a command. */
  readonly decide: (command: never, state: never, context: CommandContext) => unknown;
  /** Folds an event into the state. */
  readonly evolve: (state: never, event: never) => unknown;
  /** Looks up what a command needs. */
  readonly prepare: ((command: never, context: PrepareContext) => unknown) | undefined;
  /** The version of the state. */
  readonly stateVersion: number;
  /** After how many events or bytes of events a snapshot is due. With 0 events there are no snapshots; 0 bytes are no bound. */
  readonly snapshotEvery: { readonly events: number; readonly bytes: number };
  /** The action at a stored event whose type is not declared. */
  readonly unknownEvents: "fail" | "skip";
  /** How long outcomes are remembered, in milliseconds; 0 for as long as the stream. */
  readonly rememberOutcomes: number;
  /** Whether everyone who may append can append events directly. */
  readonly appends: "open" | undefined;
  /** The types of the aggregate. There is no such value at run time. */
  readonly "~types"?: { readonly command: C; readonly rejection: R } | undefined;
}

/** The type of the state of an aggregate: `StateOf<typeof account>`. */
export type StateOf<A extends Aggregate> = ReturnType<A["initialState"]>;

/** The union of the events of an aggregate: `EventOf<typeof account>`. */
export type EventOf<A extends Aggregate> = NonNullable<A["events"]["~event"]>;

/** The union of the commands of an aggregate: `CommandOf<typeof account>`. */
export type CommandOf<A extends Aggregate> = NonNullable<A["~types"]>["command"];

/** The union of the rejections of an aggregate: `RejectionOf<typeof account>`. */
export type RejectionOf<A extends Aggregate> = NonNullable<A["~types"]>["rejection"];
