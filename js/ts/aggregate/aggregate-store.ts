import type { Aggregate, CommandOf, EventOf, RejectionOf, StateOf } from "./types.js";
import type { Rejection } from "../store/errors.js";
import type { NewEvent, RecordedEvent } from "../store/events.js";
import type { ExpectedVersion } from "../store/options.js";
import type { PendingCommands } from "../store/pending.js";
import type { Store } from "../store/store.js";

/** Any aggregate, of any types. */
export type AnyAggregate = Aggregate<any, any, any, any, any>;

/** Options of {@link AggregateStore.execute}. */
export interface ExecuteOptions {
  /**
   * The id of the command, such as the id of the request that causes it: 1 to 200 bytes of UTF-8 without control characters
   * and U+FFFD. The store remembers the first outcome under an id, and returns it again when you repeat the command: the same
   * events, the same rejection, or nothing. Default: none.
   */
  readonly commandId?: string | undefined;
  /** The condition on the stream. Default: `"any"`. */
  readonly expectedVersion?: ExpectedVersion | undefined;
  /**
   * How often the caller decides again after a conflict with another writer: a whole number from 1 to 100. Only a remote store
   * has such conflicts: the other stores decide and write in one act. With a given `expectedVersion` there is one attempt.
   * Default: 3.
   */
  readonly attempts?: number | undefined;
}

/** The outcome of an accepted command. */
export interface ExecuteResult<E extends NewEvent = NewEvent> {
  /** The stream of the aggregate. */
  stream: string;
  /** The version of the first event; `version` + 1 if there are no events. */
  firstVersion: number;
  /** The version of the stream after the decision. */
  version: number;
  /** The time of the decision, which is the recorded time of the events, such as `2026-11-23T01:02:03.456Z`. */
  time: string;
  /**
   * The decided events. There are none if nothing had to happen, or if they were forgotten since. A remembered outcome has its
   * events in their newest shape, by the upcasts of the aggregate. Only {@link connect}, which has no code of the aggregate,
   * returns them as they are stored: events of an older schema version then have data of that version.
   */
  events: RecordedEvent<E>[];
  /** Whether the outcome is the remembered one of an earlier command under the same id. */
  replayed: boolean;
}

/** The outcome of a command as a value. The field `accepted` distinguishes the two. */
export type CommandOutcome<E extends NewEvent = NewEvent, R extends Rejection = Rejection> =
  | ({ accepted: true } & ExecuteResult<E>)
  | {
      accepted: false;
      /** The reason why the rules have refused the command. */
      rejection: R;
      /** The version of the stream at the decision. */
      version: number;
      /** Whether the outcome is the remembered one of an earlier command under the same id. */
      replayed: boolean;
    };

/** Options of {@link AggregateStore.load}: a version or a time, or neither for the present state. */
export interface LoadOptions {
  /** The state after the event of this version: a whole number from 0. */
  readonly version?: number | undefined;
  /** The state after the last event that was recorded at this time or before: a `Date`, or milliseconds since 1970. */
  readonly time?: Date | number | undefined;
}

/** A state and its version. */
export interface LoadedState<S> {
  /** The state. It is deeply frozen. */
  state: S;
  /** The version of the stream that the state is of. */
  version: number;
}

/**
 * A {@link Store} that executes the commands of aggregates, and lists their timers and sent commands: {@link EventStore} and
 * {@link RemoteAggregateStore}.
 */
export interface AggregateStore<Events extends NewEvent = NewEvent>
  extends Store<Events>, PendingCommands {
  /**
   * Executes a command: loads the state, lets the aggregate decide, and appends the events. A stale state never decides: the
   * events are only appended if the stream is still at the version of the state. The store keeps the state in memory, so that
   * the next command reads only what is new.
   *
   * A remote store decides here, at the caller, by requests of a read and of an append. To decide in the server's own
   * object, which is faster and remembers all outcomes, use {@link connect}.
   *
   * @param stream - The stream id, such as `account-42`.
   * @param command - The command: its `type`, `data` and `metadata`.
   * @param aggregate - The aggregate.
   * @param options - The id of the command, the expected version, and the number of attempts.
   * @returns The versions, the time and the events.
   * @throws {@link SillokError} `command_rejected`, whose `rejection` has the reason; `unknown_command` or `invalid_command`;
   * `wrong_expected_version`; `idempotency_key_reused` when another command had this id; `decider_failed`, whose `cause` is
   * what the code of the aggregate has thrown; `state_unavailable` when the stream was truncated and there is no snapshot.
   *
   * @example
   * ```ts
   * import { aggregate, EventStore, isCommandRejected, reject } from "sillok";
   *
   * type Event = { type: "Deposited" | "Withdrawn"; data: { cents: number } };
   * type Command = { type: "Deposit" | "Withdraw"; data: { cents: number } };
   *
   * const account = aggregate<Event, Command, { cents: number }>("account", {
   *   initialState: () => ({ cents: 0 }),
   *   evolve: ({ cents }, { type, data }) => ({ cents: type === "Deposited" ? cents + data.cents : cents - data.cents }),
   *   decide({ type, data }, { cents }) {
   *     if (type === "Deposit") return { type: "Deposited", data };
   *     return data.cents > cents ? reject("insufficient_funds") : { type: "Withdrawn", data };
   *   },
   * });
   * const store = new EventStore();
   * const deposit = { type: "Deposit", data: { cents: 100 } } as const;
   * const { version, events } = await store.execute("account-42", deposit, account, { commandId: "request-1" });
   * console.log(version, events[0]?.type); // 1 Deposited
   * const again = await store.execute("account-42", deposit, account, { commandId: "request-1" });
   * console.log(again.version, again.replayed); // 1 true
   * const withdraw = { type: "Withdraw", data: { cents: 500 } } as const;
   * const refused = await store.execute("account-42", withdraw, account).catch((error) => error);
   * console.log(isCommandRejected(refused) && refused.rejection.code); // insufficient_funds
   * ```
   */
  execute<A extends AnyAggregate>(
    stream: string,
    command: CommandOf<NoInfer<A>>,
    aggregate: A,
    options?: ExecuteOptions,
  ): Promise<ExecuteResult<EventOf<A>>>;

  /**
   * Executes a command as {@link AggregateStore.execute} does, but returns a rejection as a value.
   *
   * @example
   * ```ts
   * import { aggregate, EventStore, reject } from "sillok";
   *
   * type Event = { type: "Opened"; data: { owner: string } };
   * type Command = { type: "Open"; data: { owner: string } };
   *
   * const account = aggregate<Event, Command, { owner: string | null }>("account", {
   *   initialState: () => ({ owner: null }),
   *   evolve: (_, { data }) => ({ owner: data.owner }),
   *   decide: ({ data }, { owner }) => (owner === null ? { type: "Opened", data } : reject("already_open")),
   * });
   * const store = new EventStore();
   * const open = { type: "Open", data: { owner: "Ada" } } as const;
   * for (let time = 0; time < 2; time += 1) {
   *   const outcome = await store.attempt("account-42", open, account);
   *   console.log(outcome.accepted ? outcome.version : outcome.rejection.code); // 1 // already_open
   * }
   * ```
   */
  attempt<A extends AnyAggregate>(
    stream: string,
    command: CommandOf<NoInfer<A>>,
    aggregate: A,
    options?: ExecuteOptions,
  ): Promise<CommandOutcome<EventOf<A>, RejectionOf<A>>>;

  /**
   * Loads the state of an aggregate: the present one, or that at a version or a time.
   *
   * @param stream - The stream id.
   * @param aggregate - The aggregate.
   * @param options - A version, or a time.
   * @returns The state, and its version. A stream without events has the initial state at version 0.
   * @throws {@link SillokError} `invalid_parameter` when the stream does not have the version; `state_unavailable` when the
   * history that the state needs was truncated and no snapshot fits; `unknown_event`, `event_too_new`, `decider_failed`.
   *
   * @example
   * ```ts
   * import { aggregate, EventStore } from "sillok";
   *
   * type Event = { type: "Counted"; data: number };
   * const counter = aggregate<Event, { type: "Count"; data: number }, number>("counter", {
   *   initialState: () => 0,
   *   evolve: (sum, { data }) => sum + data,
   *   decide: ({ data }) => ({ type: "Counted", data }),
   * });
   * const store = new EventStore();
   * for (const data of [1, 2, 3]) await store.execute("counter-1", { type: "Count", data }, counter);
   * console.log(await store.load("counter-1", counter)); // { state: 6, version: 3 }
   * console.log(await store.load("counter-1", counter, { version: 2 })); // { state: 3, version: 2 }
   * ```
   */
  load<A extends AnyAggregate>(
    stream: string,
    aggregate: A,
    options?: LoadOptions,
  ): Promise<LoadedState<StateOf<A>>>;
}
