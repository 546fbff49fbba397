import { deepFreeze } from "../aggregate/freeze.js";
import type { CommandOf, EventOf, RejectionOf, StateOf } from "../aggregate/types.js";
import { checkedAnswer, type Http } from "../remote/http.js";
import { condition, keyHeader, query, randomKey, streamPath } from "../remote/input.js";
import type {
  AnyAggregate,
  CommandOutcome,
  ExecuteOptions,
  ExecuteResult,
  LoadedState,
  LoadOptions,
} from "../store/aggregate-store.js";
import { accepted, commandJson, wantedPlace } from "../store/command-input.js";
import { isCommandRejected } from "../store/errors.js";
import { checkOptions } from "../store/options.js";

const OPTIONS = [
  "commandId",
  "expectedVersion",
  "dryRun",
] as const satisfies (keyof CommandOptions)[];

/** Options of {@link AggregateClient.execute}. */
export interface CommandOptions extends Pick<ExecuteOptions, "commandId" | "expectedVersion"> {
  /** Whether to decide without writing anything. Default: false. */
  readonly dryRun?: boolean | undefined;
}

/**
 * One aggregate of a deployed Sillok, such as `account-42`. The server decides its commands in the object of the stream. See
 * {@link Client.aggregate}.
 */
export class AggregateClient<A extends AnyAggregate = AnyAggregate> {
  /** The stream of the aggregate. */
  readonly stream: string;
  readonly #http: Http;

  /** Use {@link Client.aggregate}. */
  constructor(http: Http, stream: string) {
    this.#http = http;
    this.stream = stream;
  }

  /**
   * Executes a command. The client repeats a request that gets no answer, as {@link RemoteEventStore} does. A repeated command
   * takes effect once, by its id: your own `commandId`, or a random one, which costs the server one more written row.
   *
   * @param command - The command: its `type`, `data` and `metadata`.
   * @param options - The id of the command, the expected version, and whether nothing is written.
   * @returns The versions, the time and the events. `replayed` is true only for a command under your own id. It is also true
   * if this call has repeated its own request.
   * @throws {@link SillokError} `command_rejected`, whose `rejection` has the reason; `unknown_command` or `invalid_command`;
   * `wrong_expected_version`; `idempotency_key_reused` when another command had this id; `no_aggregate` when the server has no
   * such aggregate; `decider_failed` when its code has thrown an error; `unavailable`, after which you can safely repeat only
   * a command under your own id; `missing_token`, `invalid_token`, `insufficient_scope`, `stream_not_allowed`, `overloaded`.
   */
  async execute(
    command: CommandOf<NoInfer<A>>,
    options: CommandOptions = {},
  ): Promise<ExecuteResult<EventOf<A>>> {
    return accepted<EventOf<A>>(await this.attempt(command, options));
  }

  /** Executes a command as {@link AggregateClient.execute} does, but returns a rejection as a value. */
  async attempt(
    command: CommandOf<NoInfer<A>>,
    options: CommandOptions = {},
  ): Promise<CommandOutcome<EventOf<A>, RejectionOf<A>>> {
    checkOptions(options, OPTIONS);
    const { commandId, expectedVersion, dryRun = false } = options;
    const body = commandJson(command);
    const path = `${streamPath(this.stream)}/commands${query({ "dry-run": dryRun ? "true" : undefined })}`;
    const headers = { ...condition(expectedVersion), "Content-Type": "application/json" };
    const isNamed = commandId !== undefined;
    if (isNamed) Object.assign(headers, keyHeader(commandId, "commandId"));
    // Without an id, a repeat after a lost answer would be another command.
    else if (this.#http.retries > 0 && !dryRun) Object.assign(headers, keyHeader(randomKey()));
    const fields = { "Idempotency-Key": "commandId" };
    const request = { method: "POST", path, headers, body, fields, status: 200 } as const;
    // Under this call's own random id, only this call has sent the command.
    const own = isNamed ? {} : { replayed: false };
    try {
      const answer = await this.#http.json(request);
      const executed = checkedAnswer<ExecuteResult<EventOf<A>>>(answer, "events", "object");
      return { accepted: true, ...executed, ...own };
    } catch (error) {
      if (!isCommandRejected<RejectionOf<A>>(error)) throw error;
      const { rejection, version = 0, replayed = false } = error;
      return { accepted: false, rejection, version, replayed, ...own };
    }
  }

  /**
   * Loads the state: the present one, or that at a version or a time.
   *
   * @param options - A version, or a time.
   * @returns The state, and its version. A stream without events has the initial state at version 0.
   * @throws {@link SillokError} `invalid_parameter` when the stream does not have the version; `state_unavailable` when the
   * history that the state needs was truncated and no snapshot fits; `no_aggregate`, `unknown_event`, `event_too_new`,
   * `decider_failed`, and the errors of a request as for {@link AggregateClient.execute}.
   */
  async state(options: LoadOptions = {}): Promise<LoadedState<StateOf<A>>> {
    const path = `${streamPath(this.stream)}/state${query({ ...wantedPlace(options) })}`;
    const answer = await this.#http.json({ method: "GET", path, status: 200 });
    const loaded = checkedAnswer<LoadedState<StateOf<A>>>(answer, "version", "number");
    return { state: deepFreeze(loaded.state), version: loaded.version };
  }
}
