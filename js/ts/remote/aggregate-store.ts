import type { CommandOf, EventOf, RejectionOf, StateOf } from "../aggregate/types.js";
import type {
  AggregateStore,
  AnyAggregate,
  CommandOutcome,
  ExecuteOptions,
  ExecuteResult,
  LoadedState,
  LoadOptions,
} from "../aggregate/aggregate-store.js";
import { accepted } from "../aggregate/command-input.js";
import type { NewEvent } from "../store/events.js";
import type { ConnectOptions } from "../store/options.js";
import { RemoteCommands } from "./commands.js";
import { RemoteEventStore } from "./event-store.js";
import { Http } from "./http.js";

/**
 * The store of a deployed Sillok. {@link EventStore.connect} returns it. Beside the streams, it decides commands at the caller.
 * Use {@link connect} where the server has the aggregates: its client is smaller, and the objects of the server decide.
 */
export class RemoteAggregateStore<Events extends NewEvent = NewEvent>
  extends RemoteEventStore<Events>
  implements AggregateStore<Events>
{
  readonly #commands: RemoteCommands;

  /** Use {@link EventStore.connect}. */
  constructor(url: string | { readonly href: string }, options: ConnectOptions) {
    super(url, options);
    this.#commands = new RemoteCommands(this, new Http(url, options));
  }

  /**
   * Executes a command. The decision is made here, at the caller, against the version that was read: see
   * {@link AggregateStore.execute}. The server remembers events under the id of their command, but no rejection and no
   * decision without events. `decide` and `prepare` are called for a repeat too. If events are remembered under the id, the
   * store then returns them. Another command under this id is `idempotency_key_reused` only if events are remembered.
   *
   * An append to a category with an aggregate needs a token with the scope `admin`, unless the aggregate has
   * `appends: "open"`.
   *
   * @param stream - The stream id.
   * @param command - The command.
   * @param aggregate - The aggregate.
   * @param options - The id of the command, the expected version, and the number of attempts.
   * @returns The versions, the time and the events.
   * @throws {@link SillokError} as {@link AggregateStore.execute} does, and as {@link RemoteEventStore.append} does.
   */
  async execute<A extends AnyAggregate>(
    stream: string,
    command: CommandOf<NoInfer<A>>,
    aggregate: A,
    options: ExecuteOptions = {},
  ): Promise<ExecuteResult<EventOf<A>>> {
    return accepted(await this.attempt(stream, command, aggregate, options));
  }

  /** Executes a command as {@link RemoteAggregateStore.execute} does, but returns a rejection as a value. */
  async attempt<A extends AnyAggregate>(
    stream: string,
    command: CommandOf<NoInfer<A>>,
    aggregate: A,
    options: ExecuteOptions = {},
  ): Promise<CommandOutcome<EventOf<A>, RejectionOf<A>>> {
    const outcome = await this.#commands.attempt(stream, command, aggregate, options);
    return outcome as CommandOutcome<EventOf<A>, RejectionOf<A>>;
  }

  /** Loads the state of an aggregate by reading its events, as {@link AggregateStore.load} does. */
  async load<A extends AnyAggregate>(
    stream: string,
    aggregate: A,
    options: LoadOptions = {},
  ): Promise<LoadedState<StateOf<A>>> {
    return this.#commands.load(stream, aggregate, options);
  }
}
