import type {
  CommandsOf,
  EventData,
  EventsOf,
  FunctionDefinition,
  UnknownDeciders,
} from "../aggregate/aggregate.js";
import type { AnyAggregate } from "../aggregate/aggregate-store.js";
import type { Sent } from "../aggregate/pending.js";
import type {
  Answer,
  FollowedEvent,
  ProcessRules,
  ReactionFunction,
} from "../aggregate/process-rules.js";
import type { Rejected } from "../aggregate/reject.js";
import type { SchemaOutput } from "../aggregate/schema.js";
import type {
  Aggregate,
  AggregateOptions,
  Command,
  CommandContext,
  DecisionPart,
  EventOf,
  Received,
} from "../aggregate/types.js";
import type { Rejection } from "../store/errors.js";
import type { NewEvent } from "../store/events.js";
import type { ConsumedEvent, ConsumerDefinition, ConsumerOptions, OfType } from "./definition.js";

/** What `on` and `answered` of a process return: as `decide` does, but never a rejection. `Names` are the names of `answered`. */
export type Reaction<
  E extends NewEvent = NewEvent,
  C extends Command = never,
  Names extends string = string,
> = DecisionPart<E, C> | Sent<Names> | readonly (DecisionPart<E, C> | Sent<Names>)[];

/** What `decide` of a process returns: as that of an aggregate, and also commands of {@link send}. */
export type ProcessDecision<
  E extends NewEvent = NewEvent,
  R extends Rejection = Rejection,
  C extends Command = never,
  Names extends string = string,
> = Reaction<E, C, Names> | Rejected<R>;

/** An event of another stream. If the types of the followed events are not known, its data have any type. */
export type SourceEvent<Followed extends NewEvent, Type> = 0 extends 1 & Followed
  ? ConsumedEvent<{ type: Type & string; data: any }>
  : ConsumedEvent<OfType<Followed, Type>>;

/** The function of `starts`: returns the id of the instance that an event starts; undefined for none. */
export type InstanceFunction<Followed extends NewEvent, Type> = (
  event: SourceEvent<Followed, Type>,
) => string | undefined;

/** A function of `on`: decides by an event of another stream. */
export type EventDecider<
  Followed extends NewEvent,
  Type,
  S,
  E extends NewEvent,
  C extends Command,
  Names extends string = string,
> = (
  event: SourceEvent<Followed, Type>,
  state: S,
  context: CommandContext,
) => Reaction<E, C, Names>;

/** A member of `on` for events that start no instance: two functions. */
export interface RoutedDecider<
  Followed extends NewEvent,
  Type,
  S,
  E extends NewEvent,
  C extends Command,
  Names extends string = string,
> {
  /** Returns the id of the instance that the event is for; undefined for none. */
  readonly instance: InstanceFunction<Followed, Type>;
  /** Decides by the event. */
  readonly decide: EventDecider<Followed, Type, S, E, C, Names>;
}

/** Options of both forms of {@link process}. */
export interface ProcessOptions<
  S,
  E extends NewEvent,
  C extends Command,
  Names extends string = string,
>
  extends
    AggregateOptions<C>,
    Pick<ConsumerOptions, "category" | "onFailure" | "attempts" | "firstDelay" | "longestDelay"> {
  /**
   * For each name of a sent command: decides by its answer. A decision that sends a command under another name is refused. It
   * must be pure, and must not change its arguments.
   */
  readonly answered?:
    | {
        readonly [Name in Names]: (
          answer: Answer,
          state: S,
          context: CommandContext,
        ) => Reaction<E, C, NoInfer<Names>>;
      }
    | undefined;
  /** Returns whether the instance is over. Default: it never is. */
  readonly ended?: ((state: S) => boolean) | undefined;
}

/** The events of these aggregates. */
export type EventsIn<Sources extends readonly AnyAggregate[]> = EventOf<Sources[number]>;

/** A definition of a process with schemas: a map of the events, and one of the commands. */
export interface ProcessSchemaDefinition<
  Events,
  Commands,
  S,
  Evolved,
  Decide,
  Sources extends readonly AnyAggregate[],
  Start extends string,
  On extends string,
  Names extends string,
> extends ProcessOptions<S, EventsOf<Events>, CommandsOf<Commands>, Names> {
  /** The schemas of the events by their type. */
  readonly events: Events;
  /** The schemas of the commands by their type; `{}` if the process takes none. They may change a command. */
  readonly commands: Commands;
  /** Returns the state of a stream without events: a value that JSON can represent. */
  readonly initialState: () => S;
  /** For each type of events: returns the state after the event. It must be pure, and must not change its arguments. */
  readonly evolve: {
    readonly [Type in keyof Events]: (state: S, data: EventData<Events[Type]>) => NoInfer<Evolved>;
  };
  /** For each type of commands: returns events, timers and sent commands, or a rejection. It must be pure, as `evolve`. */
  readonly decide: Decide & {
    readonly [Type in keyof Commands]: (
      data: SchemaOutput<Commands[Type]>,
      state: S,
      context: CommandContext,
    ) => ProcessDecision<EventsOf<Events>, Rejection, CommandsOf<Commands>, NoInfer<Names>>;
  } & UnknownDeciders<NoInfer<Decide>, Commands>;
  /**
   * The aggregates whose events the process follows. With them, the functions get each event in its newest shape, the types of
   * the events are inferred, and events of other streams are ignored. Without them, the process follows all streams, or those
   * of `category`, and gets the events as they are stored.
   */
  readonly sources?: Sources | undefined;
  /** For each type of events that starts an instance: the function that returns the id of the instance. */
  readonly starts?:
    { readonly [Type in Start]: InstanceFunction<EventsIn<Sources>, Type> } | undefined;
  /**
   * For each followed type of events: decides by the event. For a type in `starts`, it is a function. For another type, it is an
   * object with the functions `instance` and `decide`.
   */
  readonly on?:
    | ({
        readonly [Type in On]:
          | EventDecider<
              EventsIn<Sources>,
              Type,
              S,
              EventsOf<Events>,
              CommandsOf<Commands>,
              NoInfer<Names>
            >
          | RoutedDecider<
              EventsIn<Sources>,
              Type,
              S,
              EventsOf<Events>,
              CommandsOf<Commands>,
              NoInfer<Names>
            >;
      } & {
        readonly [Type in NoInfer<Start>]: EventDecider<
          EventsIn<Sources>,
          Type,
          S,
          EventsOf<Events>,
          CommandsOf<Commands>,
          NoInfer<Names>
        >;
      })
    | undefined;
}

/** A definition of a process by functions, whose types are parameters. */
export interface ProcessFunctionDefinition<
  E extends NewEvent,
  C extends Command,
  S,
  R extends Rejection = Rejection,
  Followed extends NewEvent = any,
>
  extends Omit<FunctionDefinition<E, C, S, R>, "decide">, ProcessOptions<S, E, C> {
  /** Returns events, timers and sent commands, or a rejection. It must be pure, and must not change its arguments. */
  readonly decide: (
    command: Received<C>,
    state: S,
    context: CommandContext,
  ) => ProcessDecision<E, R, C>;
  /**
   * The aggregates whose events the process follows. With them, the functions get each event in its newest shape, and events of
   * other streams are ignored. Without them, the process follows all streams, or those of `category`, and gets the events as
   * they are stored.
   */
  readonly sources?: readonly AnyAggregate[] | undefined;
  /** For each type of events that starts an instance: the function that returns the id of the instance. */
  readonly starts?:
    { readonly [Type in Followed["type"]]?: InstanceFunction<Followed, Type> } | undefined;
  /**
   * For each followed type of events: decides by the event. For a type in `starts`, it is a function. For another type, it is an
   * object with the functions `instance` and `decide`.
   */
  readonly on?:
    | {
        readonly [Type in Followed["type"]]?:
          EventDecider<Followed, Type, S, E, C> | RoutedDecider<Followed, Type, S, E, C>;
      }
    | undefined;
}

/** The consumer of a process: it delivers each followed event to the instance that the event is for. */
export interface ProcessConsumer extends ConsumerDefinition {
  /** The kind of the consumer. */
  readonly kind: "process";
  /** The types of events that start an instance. */
  readonly starts: readonly string[];
  /** The stream of the instance that an event is for; undefined if it is for none. */
  readonly instance: (event: FollowedEvent) => string | undefined;
}

/** A process, made by {@link process}. It is also an aggregate, for example for {@link AggregateStore.execute}. */
export interface Process<
  E extends NewEvent = NewEvent,
  C extends Command = Command,
  S = unknown,
  R extends Rejection = Rejection,
  Name extends string = string,
  Names extends string = string,
>
  extends Aggregate<E, C, S, R, Name>, ProcessRules {
  /** The kind of the definition. */
  readonly kind: "process";
  /** For each name of a sent command: decides by its answer. */
  readonly answered: Readonly<Record<Names, ReactionFunction>>;
  /** The consumer of the followed events; undefined if the process follows none. */
  readonly consumer: ProcessConsumer | undefined;
}

/** Any process, of any types. */
export type AnyProcess = Process<any, any, any, any, any, any>;
