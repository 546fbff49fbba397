import type { CommandOf, EventOf, RejectionOf, StateOf } from "../aggregate/types.js";
import type {
  AnyAggregate,
  CommandOutcome,
  ExecuteOptions,
  ExecuteResult,
  LoadedState,
  LoadOptions,
} from "../aggregate/aggregate-store.js";
import type { Rejection } from "../store/errors.js";
import type { SentCommand, Timer } from "../store/pending.js";

/** Options of {@link AggregateClient.execute}. */
export interface CommandOptions extends Pick<ExecuteOptions, "commandId" | "expectedVersion"> {
  /** Whether to decide without writing anything. Default: false. */
  readonly dryRun?: boolean | undefined;
}

/**
 * One aggregate of a deployed Sillok, such as `account-42`. The server decides its commands in the object of the stream. See
 * {@link Client.aggregate}.
 */
export interface AggregateClient<A extends AnyAggregate = AnyAggregate> {
  /** The stream of the aggregate. */
  readonly stream: string;

  /**
   * Executes a command. The client repeats a request that gets no answer, as {@link RemoteEventStore} does. A repeated command
   * takes effect once, by its id: your own `commandId`, or a random one, which costs the server one more written row.
   *
   * @param command - The command: its `type`, `data` and `metadata`.
   * @param options - The id of the command, the expected version, and whether nothing is written.
   * @returns The versions, the time and the events. `replayed` is true only for a command under your own id. It is also true
   * if this call has repeated its own request. The events of a replayed outcome are as they are stored: the client has no code
   * to upcast them, so an event with an older `schemaVersion` has the data of that version, and not those of its type.
   * @throws {@link SillokError} `command_rejected`, whose `rejection` has the reason; `unknown_command` or `invalid_command`;
   * `wrong_expected_version`; `idempotency_key_reused` when another command had this id; `no_aggregate` when the server has no
   * such aggregate; `decider_failed` when its code has thrown an error; `unavailable`, after which you can safely repeat only
   * a command under your own id; `missing_token`, `invalid_token`, `insufficient_scope`, `stream_not_allowed`, `overloaded`.
   */
  execute(
    command: CommandOf<NoInfer<A>>,
    options?: CommandOptions,
  ): Promise<ExecuteResult<EventOf<A>>>;

  /** Executes a command as {@link AggregateClient.execute} does, but returns a rejection as a value. */
  attempt(
    command: CommandOf<NoInfer<A>>,
    options?: CommandOptions,
  ): Promise<CommandOutcome<EventOf<A>, RejectionOf<A>>>;

  /**
   * Loads the state: the present one, or that at a version or a time.
   *
   * @param options - A version, or a time.
   * @returns The state, and its version. A stream without events has the initial state at version 0.
   * @throws {@link SillokError} `invalid_parameter` when the stream does not have the version; `state_unavailable` when the
   * history that the state needs was truncated and no snapshot fits; `no_aggregate`, `unknown_event`, `event_too_new`,
   * `decider_failed`, and the errors of a request as for {@link AggregateClient.execute}.
   */
  state(options?: LoadOptions): Promise<LoadedState<StateOf<A>>>;

  /** Lists the timers of the aggregate. See {@link PendingCommands.timers}. */
  timers(): AsyncGenerator<Timer, void, undefined>;

  /** Cancels a timer. Returns whether there was one. See {@link PendingCommands.cancelTimer}. */
  cancelTimer(key: string): Promise<boolean>;

  /** Attempts a parked timer again. Returns whether there was one. See {@link PendingCommands.retryTimer}. */
  retryTimer(key: string): Promise<boolean>;

  /** Lists the commands that the process has sent and that are not answered yet. See {@link PendingCommands.sent}. */
  sent(): AsyncGenerator<SentCommand, void, undefined>;

  /** Sends a parked command again. Returns whether there was one. See {@link PendingCommands.retrySent}. */
  retrySent(id: string): Promise<boolean>;

  /** Answers a parked command in place of its receiver. Returns whether there was one. See {@link PendingCommands.rejectSent}. */
  rejectSent(id: string, rejection: Rejection): Promise<boolean>;

  /** Removes a sent command. Returns whether there was one. See {@link PendingCommands.cancelSent}. */
  cancelSent(id: string): Promise<boolean>;
}
