import type { Rejection } from "../store/errors.js";
import type { NewEvent } from "../store/events.js";
import { checkedAggregate } from "./definition.js";
import type { Upcast } from "./events.js";
import type { Rejected } from "./reject.js";
import type { SchemaInput, SchemaOutput, StandardSchema } from "./schema.js";
import type {
  Aggregate,
  AggregateOptions,
  Command,
  CommandContext,
  Decision,
  Received,
} from "./types.js";

/** A schema of an event, or a schema with the upcasts of older data. */
export type EventSchema =
  | StandardSchema<any, any>
  | {
      /** The schema of the newest data. It only checks: it must not change the data. */
      readonly schema: StandardSchema<any, any>;
      /** The functions from schema version 1 to 2, from 2 to 3, and so on. */
      readonly upcasts?: readonly Upcast[] | undefined;
    };

/** A message with this type and data. Data that may be `null` can be left out. */
export type Message<Type, Data> = null extends Data
  ? { readonly type: Type; readonly data?: Data }
  : { readonly type: Type; readonly data: Data };

/** The data of an event with this schema. */
export type EventData<Definition> =
  Definition extends StandardSchema<any, any>
    ? SchemaOutput<Definition>
    : Definition extends { readonly schema: infer Schema }
      ? SchemaOutput<Schema>
      : unknown;

/** The union of the events with these schemas. */
export type EventsOf<Events> = {
  [Type in keyof Events & string]: Message<Type, EventData<Events[Type]>>;
}[keyof Events & string];

/** The union of the commands with these schemas, as callers send them. */
export type CommandsOf<Commands> = {
  [Type in keyof Commands & string]: Message<Type, SchemaInput<Commands[Type]>> &
    Pick<Command, "metadata">;
}[keyof Commands & string];

/** The handlers of commands by their type, for the inference of their rejections. */
export type Deciders = Readonly<Record<string, (...args: never) => unknown>>;

/** Refuses handlers of commands that are not declared. */
export type UnknownDeciders<Decide, Commands> = string extends keyof Decide
  ? unknown
  : { readonly [Type in Exclude<keyof Decide, keyof Commands>]: never };

/** The union of the rejections that these handlers return. */
export type RejectionsOf<Decide extends Deciders> = Extract<
  ReturnType<Decide[keyof Decide]>,
  Rejected
>["rejection"];

/**
 * Any value. Where the compiler expects this type, it does not widen the literals in a value, nor the places of a tuple. The
 * states that `evolve` returns need this: the compiler does not know the type of the state yet when it reads them.
 */
export type Literal =
  | ""
  | 0
  | boolean
  | {}
  | null
  | undefined
  | readonly [Literal?, ...Literal[]]
  | { readonly [field: string]: Literal };

/** A definition of an aggregate with schemas: a map of the events, and one of the commands. */
export interface SchemaDefinition<Events, Commands, S, Evolved, Decide> extends AggregateOptions<
  CommandsOf<Commands>
> {
  /** The schemas of the events by their type. */
  readonly events: Events;
  /** The schemas of the commands by their type. They may change a command, for example add a default. */
  readonly commands: Commands;
  /** Returns the state of a stream without events: a value that JSON can represent. */
  readonly initialState: () => S;
  /** For each type of events: returns the state after the event. It must be pure, and must not change its arguments. */
  readonly evolve: {
    readonly [Type in keyof Events]: (state: S, data: EventData<Events[Type]>) => NoInfer<Evolved>;
  };
  /** For each type of commands: returns events and timers, or a rejection. It must be pure, and must not change its arguments. */
  readonly decide: Decide & {
    readonly [Type in keyof Commands]: (
      data: SchemaOutput<Commands[Type]>,
      state: S,
      context: CommandContext,
    ) => Decision<EventsOf<Events>, Rejection, CommandsOf<Commands>>;
  } & UnknownDeciders<NoInfer<Decide>, Commands>;
}

/** A definition of an aggregate by three functions, whose types are parameters. */
export interface FunctionDefinition<
  E extends NewEvent,
  C extends Command,
  S,
  R extends Rejection = Rejection,
> extends AggregateOptions<C> {
  /** The events by their type, if they have schemas or upcasts. Without this map, the aggregate takes every type. */
  readonly events?:
    | {
        readonly [Type in E["type"]]:
          | StandardSchema<any, any>
          | {
              /** The schema of the newest data. It only checks: it must not change the data. */
              readonly schema?: StandardSchema<any, any> | undefined;
              /** The functions from schema version 1 to 2, from 2 to 3, and so on. */
              readonly upcasts?: readonly Upcast[] | undefined;
            };
      }
    | undefined;
  /** Only a definition with schemas has this map. */
  readonly commands?: undefined;
  /** Returns the state of a stream without events: a value that JSON can represent. */
  readonly initialState: () => S;
  /** Returns events and timers, or a rejection. It must be pure, and must not change its arguments. */
  readonly decide: (command: Received<C>, state: S, context: CommandContext) => Decision<E, R, C>;
  /** Returns the state after the event. It must be pure, and must not change its arguments. */
  readonly evolve: (state: S, event: Received<E>) => S;
}

// The overload with schemas is first: the compiler would take handlers without parameters for functions of the other form, and
// widen the types of their events to `string`. It has 5 type parameters without a default, so it never takes the 3 or 4 of the
// other. It is also last: if no overload fits, the compiler explains the last one.

/**
 * Defines an aggregate: the state of its streams, the commands that it takes, and the events that follow from them. The
 * definition needs no platform, so the same file runs in a page, in Node and in a Worker.
 *
 * There are two forms. With maps of schemas, the types of events, commands, state and rejections are inferred from them. The
 * schemas may be of any library that follows Standard Schema, such as zod, valibot or arktype. With three functions, the types
 * are parameters: `aggregate<Event, Command, State>("account", { initialState, decide, evolve })`.
 *
 * `initialState`, `decide` and `evolve` are synchronous and pure: they use only their arguments, and do not change them. The
 * state is frozen. Test this with `laws` of `sillok/testing`.
 *
 * @param name - The category of the streams, such as `account` for `account-42`: 1 to 200 bytes of UTF-8 without control
 * characters and without a `-`.
 * @param definition - The functions, the schemas, and the options.
 * @returns The aggregate. It is frozen.
 * @throws {@link SillokError} `invalid_aggregate`, whose `field` names the wrong part.
 *
 * @example
 * ```ts
 * import { aggregate, reject } from "sillok";
 *
 * type AccountEvent =
 *   | { type: "Deposited"; data: { cents: number } }
 *   | { type: "Withdrawn"; data: { cents: number } };
 * type AccountCommand =
 *   | { type: "Deposit"; data: { cents: number } }
 *   | { type: "Withdraw"; data: { cents: number } };
 * type Account = { cents: number };
 *
 * const account = aggregate<AccountEvent, AccountCommand, Account>("account", {
 *   initialState: () => ({ cents: 0 }),
 *   decide(command, state) {
 *     const { cents } = command.data;
 *     if (command.type === "Deposit") return { type: "Deposited", data: { cents } };
 *     if (cents > state.cents) return reject("insufficient_funds", { missing: cents - state.cents });
 *     return { type: "Withdrawn", data: { cents } };
 *   },
 *   evolve: ({ cents }, { type, data }) => ({
 *     cents: type === "Deposited" ? cents + data.cents : cents - data.cents,
 *   }),
 * });
 * console.log(account.kind, account.name, account.stateVersion); // aggregate account 1
 * ```
 */
export function aggregate<
  Events extends Readonly<Record<string, EventSchema>>,
  Commands extends Readonly<Record<string, StandardSchema<any, any>>>,
  S,
  Decide extends Deciders,
  Name extends string,
  Evolved extends Literal = S,
>(
  name: Name,
  definition: SchemaDefinition<Events, Commands, S, Evolved, Decide>,
): Aggregate<EventsOf<Events>, CommandsOf<Commands>, S, RejectionsOf<Decide>, Name>;
/** Defines an aggregate by three functions, whose types are parameters. */
export function aggregate<
  E extends NewEvent,
  C extends Command,
  S,
  R extends Rejection = Rejection,
  Name extends string = string,
>(name: Name, definition: FunctionDefinition<E, C, S, R>): Aggregate<E, C, S, R, Name>;
/** Defines an aggregate by maps of schemas. */
export function aggregate<
  Events extends Readonly<Record<string, EventSchema>>,
  Commands extends Readonly<Record<string, StandardSchema<any, any>>>,
  S,
  Decide extends Deciders,
  Name extends string,
  Evolved extends Literal = S,
>(
  name: Name,
  definition: SchemaDefinition<Events, Commands, S, Evolved, Decide>,
): Aggregate<EventsOf<Events>, CommandsOf<Commands>, S, RejectionsOf<Decide>, Name>;
export function aggregate(name: string, definition: object): Aggregate {
  return checkedAggregate(name, definition);
}
