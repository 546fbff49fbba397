import type {
  CommandsOf,
  Deciders,
  EventSchema,
  EventsOf,
  Literal,
  RejectionsOf,
} from "../aggregate/aggregate.js";
import {
  checkedProcess,
  type FollowedEvent,
  instanceOf,
  invalidProcess,
  type ProcessEnded,
} from "../aggregate/process-rules.js";
import type { StandardSchema } from "../aggregate/schema.js";
import type { AnyAggregate } from "../aggregate/aggregate-store.js";
import type { Command } from "../aggregate/types.js";
import type { Rejection } from "../store/errors.js";
import type { NewEvent } from "../store/events.js";
import { type ConsumerOptions, defined } from "./definition.js";
import type {
  AnyProcess,
  EventsIn,
  Process,
  ProcessConsumer,
  ProcessFunctionDefinition,
  ProcessSchemaDefinition,
} from "./process-types.js";

/** The options of the consumer that delivers events to the instances. */
const CONSUMER_FIELDS = [
  "category",
  "onFailure",
  "attempts",
  "firstDelay",
  "longestDelay",
] as const satisfies (keyof ConsumerOptions)[];

/** What the handler of a process needs from an engine. */
export interface DeliverContext {
  /**
   * Delivers an event to an instance, and waits until the decision of the instance is stored.
   *
   * @param stream - The stream of the instance.
   * @param event - The event as the engine has passed it: JSON as in a feed.
   * @param starts - Whether the event may start the instance.
   */
  deliver(stream: string, event: string, starts: boolean): unknown;
}

// The overload with schemas is first and last, as of `aggregate`. It has more type parameters without a default than the other
// one takes.

/**
 * Defines a process: a conversation between aggregates that ends. An instance of a process is an aggregate with one stream. It
 * decides by four kinds of inputs: commands of its own, events of other streams, answers to the commands that it sends, and its
 * timers. Like an aggregate, it decides events and timers. It also sends commands to other streams, by {@link send}.
 *
 * The store writes the sent commands in the same transaction as the events. It delivers each command until it has an answer. Each
 * command takes effect once, and each answer is decided once. So nothing is lost and nothing happens twice, also after a crash.
 *
 * An event of another stream starts an instance if its type is in `starts`, whose function returns the id of the instance. Other
 * types are for an instance that has started: an event for an instance without events changes nothing. After `ended` returns
 * true, the instance is over: its timers are removed, events and answers change nothing, and commands are rejected with the code
 * `process_ended`.
 *
 * There are two forms, as of {@link aggregate}. All functions but `prepare` are synchronous and pure.
 *
 * @param name - The category of the streams, such as `transfer` for `transfer-1`. The consumer of the followed events has the
 * same name.
 * @param definition - The functions, the schemas, and the options.
 * @returns The process. It is frozen.
 * @throws {@link SillokError} `invalid_aggregate`, or `invalid_consumer` for an option of the consumer. `field` names the wrong
 * part.
 *
 * @example
 * ```ts
 * import { aggregate, process, send } from "sillok";
 * import { answer, given } from "sillok/testing";
 *
 * type Moved = { type: "Deposited" | "Withdrawn"; data: { cents: number } };
 * type Move = { type: "Deposit" | "Withdraw"; data: { cents: number } };
 * const account = aggregate<Moved, Move, number>("account", {
 *   initialState: () => 0,
 *   decide: ({ type, data }) => ({ type: type === "Deposit" ? "Deposited" : "Withdrawn", data }),
 *   evolve: (cents, { type, data }) => (type === "Deposited" ? cents + data.cents : cents - data.cents),
 * });
 *
 * type Order = { from: string; to: string; cents: number };
 * type Event = { type: "Requested"; data: Order } | { type: "Debited" | "Completed" | "Failed" | "Held" };
 * type State = { status: string; order?: Order };
 *
 * const transfer = process<Event, { type: "Request"; data: Order }, State>("transfer", {
 *   initialState: () => ({ status: "new" }),
 *   evolve: (state, { type, data }) => ({ ...state, status: type, ...(data && { order: data }) }),
 *   decide: ({ data }) => [
 *     { type: "Requested", data },
 *     send("debit", account, data.from, { type: "Withdraw", data: { cents: data.cents } }),
 *   ],
 *   answered: {
 *     debit({ accepted }, { order }) {
 *       if (!accepted || order === undefined) return { type: "Failed" };
 *       return [{ type: "Debited" }, send("credit", account, order.to, { type: "Deposit", data: { cents: order.cents } })];
 *     },
 *     // A transfer whose credit is refused does not end: it holds the money.
 *     credit: ({ accepted }) => ({ type: accepted ? "Completed" : "Held" }),
 *   },
 *   ended: ({ status }) => status === "Completed" || status === "Failed",
 * });
 *
 * const order = { from: "a", to: "b", cents: 100 };
 * const requested = { type: "Requested", data: order } as const;
 * given(transfer)
 *   .when({ type: "Request", data: order })
 *   .then(requested)
 *   .thenSent("debit", "account-a", { type: "Withdraw", data: { cents: 100 } });
 * const refused = answer("debit", { accepted: false, rejection: { code: "insufficient_funds" } });
 * given(transfer, [requested]).when(refused).then({ type: "Failed" }).thenEnded();
 * console.log(transfer.kind, transfer.name); // process transfer
 * ```
 */
export function process<
  Events extends Readonly<Record<string, EventSchema>>,
  Commands extends Readonly<Record<string, StandardSchema<any, any>>>,
  S,
  Decide extends Deciders,
  Name extends string,
  Sources extends readonly AnyAggregate[],
  Start extends EventsIn<Sources>["type"] = never,
  On extends EventsIn<Sources>["type"] = never,
  Names extends string = never,
  Evolved extends Literal = S,
>(
  name: Name,
  definition: ProcessSchemaDefinition<
    Events,
    Commands,
    S,
    Evolved,
    Decide,
    Sources,
    Start,
    On,
    Names
  >,
): Process<
  EventsOf<Events>,
  CommandsOf<Commands>,
  S,
  RejectionsOf<Decide> | ProcessEnded,
  Name,
  Names
>;
/** Defines a process by functions, whose types are parameters. `Followed` are the events of other streams. */
export function process<
  E extends NewEvent,
  C extends Command,
  S,
  R extends Rejection = Rejection,
  Followed extends NewEvent = any,
  Name extends string = string,
>(
  name: Name,
  definition: ProcessFunctionDefinition<E, C, S, R, Followed>,
): Process<E, C, S, R | ProcessEnded, Name>;
/** Defines a process by maps of schemas. */
export function process<
  Events extends Readonly<Record<string, EventSchema>>,
  Commands extends Readonly<Record<string, StandardSchema<any, any>>>,
  S,
  Decide extends Deciders,
  Name extends string,
  Sources extends readonly AnyAggregate[],
  Start extends EventsIn<Sources>["type"] = never,
  On extends EventsIn<Sources>["type"] = never,
  Names extends string = never,
  Evolved extends Literal = S,
>(
  name: Name,
  definition: ProcessSchemaDefinition<
    Events,
    Commands,
    S,
    Evolved,
    Decide,
    Sources,
    Start,
    On,
    Names
  >,
): Process<
  EventsOf<Events>,
  CommandsOf<Commands>,
  S,
  RejectionsOf<Decide> | ProcessEnded,
  Name,
  Names
>;
export function process(name: string, definition: object): AnyProcess {
  const rules = checkedProcess(name, definition, CONSUMER_FIELDS);
  const consumer = consumerOf(
    rules,
    definition as Pick<ConsumerOptions, (typeof CONSUMER_FIELDS)[number]>,
  );
  return Object.freeze({ kind: "process", ...rules, consumer }) as AnyProcess;
}

/**
 * Handles an event of another stream: delivers it to the instance that it is for, if there is one. An error of the function that
 * finds the instance, and one of `deliver`, is a failed attempt.
 *
 * @param event - The event as the engine has passed it: JSON as in a feed.
 */
export async function follow(
  { instance, starts }: ProcessConsumer,
  event: string,
  { deliver }: DeliverContext,
): Promise<void> {
  const followed = JSON.parse(event) as FollowedEvent;
  const stream = instance(followed);
  if (stream !== undefined) await deliver(stream, event, starts.includes(followed.type));
}

/** The consumer that delivers events to the instances; undefined if the process follows no events. */
function consumerOf(
  rules: Pick<AnyProcess, "name" | "sources" | "starts" | "instance">,
  options: Pick<ConsumerOptions, (typeof CONSUMER_FIELDS)[number]>,
): ProcessConsumer | undefined {
  const { name, sources, instance } = rules;
  if (Object.keys(instance).length === 0) {
    const useless = CONSUMER_FIELDS.find((field) => options[field] !== undefined);
    if (useless === undefined) return undefined;
    throw invalidProcess(useless, "must be left out, because the process follows no events");
  }
  const { onFailure = "hold-stream", attempts, firstDelay, longestDelay } = options;
  if (sources !== undefined && options.category !== undefined) {
    throw invalidProcess("category", "must be left out where there are `sources`");
  }
  const category = sources?.length === 1 ? sources[0]?.name : options.category;
  const policy = { category, onFailure, attempts, firstDelay, longestDelay };
  const { on: _, ...definition } = defined(name, { ...policy, on: instance });
  return Object.freeze({
    kind: "process",
    ...definition,
    starts: rules.starts,
    instance: (event: FollowedEvent) => instanceOf(rules, event),
  });
}
