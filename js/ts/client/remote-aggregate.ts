// An aggregate of a server, over HTTP.

import { invalid } from "../store/invalid.js";
import { deepFreeze } from "../aggregate/freeze.js";
import type { CommandOf, EventOf, RejectionOf, StateOf } from "../aggregate/types.js";
import { checkedAnswer, type Http } from "../remote/http.js";
import { condition, keyHeader, query, randomKey, streamPath } from "../remote/input.js";
import { cancelRemote, rejectRemote, remotePending, retryRemote } from "../remote/pending.js";
import type {
  AnyAggregate,
  CommandOutcome,
  ExecuteResult,
  LoadedState,
  LoadOptions,
} from "../aggregate/aggregate-store.js";
import { accepted, commandJson, wantedPlace } from "../aggregate/command-input.js";
import { isCommandRejected, type Rejection } from "../store/errors.js";
import { checkOptions } from "../store/options.js";
import type { SentCommand, Timer } from "../store/pending.js";
import type { AggregateClient, CommandOptions } from "./aggregate-client.js";

const OPTIONS = [
  "commandId",
  "expectedVersion",
  "dryRun",
] as const satisfies (keyof CommandOptions)[];

export class RemoteAggregate<A extends AnyAggregate> implements AggregateClient<A> {
  readonly stream: string;
  readonly #http: Http;

  constructor(http: Http, stream: string) {
    this.#http = http;
    this.stream = stream;
  }

  async execute(
    command: CommandOf<NoInfer<A>>,
    options: CommandOptions = {},
  ): Promise<ExecuteResult<EventOf<A>>> {
    return accepted<EventOf<A>>(await this.attempt(command, options));
  }

  async attempt(
    command: CommandOf<NoInfer<A>>,
    options: CommandOptions = {},
  ): Promise<CommandOutcome<EventOf<A>, RejectionOf<A>>> {
    checkOptions(options, OPTIONS);
    const { commandId, expectedVersion, dryRun = false } = options;
    if (typeof dryRun !== "boolean") throw invalid("dryRun", "must be true or false");
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

  async state(options: LoadOptions = {}): Promise<LoadedState<StateOf<A>>> {
    const path = `${streamPath(this.stream)}/state${query({ ...wantedPlace(options) })}`;
    const answer = await this.#http.json({ method: "GET", path, status: 200 });
    const loaded = checkedAnswer<LoadedState<StateOf<A>>>(answer, "version", "number");
    return { state: deepFreeze(loaded.state), version: loaded.version };
  }

  timers(): AsyncGenerator<Timer, void, undefined> {
    return remotePending(this.#http, this.stream, "timers");
  }

  async cancelTimer(key: string): Promise<boolean> {
    return cancelRemote(this.#http, this.stream, "timers", key);
  }

  async retryTimer(key: string): Promise<boolean> {
    return retryRemote(this.#http, this.stream, "timers", key);
  }

  sent(): AsyncGenerator<SentCommand, void, undefined> {
    return remotePending(this.#http, this.stream, "sent");
  }

  async retrySent(id: string): Promise<boolean> {
    return retryRemote(this.#http, this.stream, "sent", id);
  }

  async rejectSent(id: string, rejection: Rejection): Promise<boolean> {
    return rejectRemote(this.#http, this.stream, id, rejection);
  }

  async cancelSent(id: string): Promise<boolean> {
    return cancelRemote(this.#http, this.stream, "sent", id);
  }
}
