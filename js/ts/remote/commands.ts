// Commands over a remote store: they are decided here, at the caller, against the version that was read.

import { Behaviour } from "../aggregate/behaviour.js";
import { newest } from "../aggregate/events.js";
import { isProcess } from "../aggregate/process-rules.js";
import type { Command } from "../aggregate/types.js";
import type {
  AnyAggregate,
  CommandOutcome,
  ExecuteOptions,
  LoadedState,
  LoadOptions,
} from "../aggregate/aggregate-store.js";
import { KeptStates } from "../aggregate/kept-states.js";
import {
  attemptsOf,
  readyCommand,
  type ReadyCommand,
  wantedState,
} from "../aggregate/command-input.js";
import {
  isSillokError,
  isWrongExpectedVersion,
  type Rejection,
  SillokError,
} from "../store/errors.js";
import type { AppendResult, NewEvent, RecordedEvent } from "../store/events.js";
import { invalid } from "../store/invalid.js";
import type { ExpectedVersion } from "../store/options.js";
import type { Store } from "../store/store.js";
import { hash106 } from "./hash.js";
import type { Http } from "./http.js";
import { condition, keyHeader, streamPath } from "./input.js";
import { readRemote, type ShownVersions } from "./read.js";

/** So many events are folded at once. */
const FOLDED_EVENTS = 1000;

/** The state of one stream, as far as it was read. */
interface Kept {
  readonly behaviour: Behaviour;
  version: number;
  /** The end of the last call that uses it: calls run one after the other. */
  last: Promise<unknown>;
}

/** A line of an export, as far as it is read here. */
interface ExportedCommit {
  readonly firstVersion: number;
  readonly version: number;
  readonly time: number;
  readonly key?: string;
  readonly keyOrigin?: string;
}

/** A command and its options. */
interface Call {
  readonly stream: string;
  readonly aggregate: AnyAggregate;
  readonly ready: ReadyCommand;
  readonly options: ExecuteOptions;
}

/** What a state has decided. */
interface Decided {
  /** The version and the time of the decision. */
  readonly version: number;
  readonly now: number;
  readonly decision: Rejection | NewEvent[];
}

/** The commands of one remote store. */
export class RemoteCommands {
  readonly #store: Store;
  readonly #http: Http;
  readonly #kept = new KeptStates(newState);

  constructor(store: Store, http: Http) {
    this.#store = store;
    this.#http = http;
  }

  async attempt(
    stream: string,
    command: unknown,
    aggregate: AnyAggregate,
    options: ExecuteOptions,
  ): Promise<CommandOutcome> {
    if (isProcess(aggregate)) throw onlyInObject(aggregate, "is a process");
    const ready = await readyCommand(stream, command, aggregate, options);
    checkSent(stream, options);
    const call = { stream, aggregate, ready, options };
    return this.#inTurn(stream, aggregate, async (kept) => {
      const early = await this.#attemptAtOnce(kept, call);
      if (early !== undefined) return early;
      for (let left = attemptsOf(options); ; left -= 1) {
        try {
          return await this.#attempt(kept, call);
        } catch (error) {
          if (!isWrongExpectedVersion(error) || left <= 1) throw error;
        }
      }
    });
  }

  async load<S>(
    stream: string,
    aggregate: AnyAggregate,
    options: LoadOptions,
  ): Promise<LoadedState<S>> {
    const wanted = wantedState(stream, aggregate, options);
    if (wanted === undefined) {
      return this.#inTurn(stream, aggregate, async (kept) => {
        await this.#catchUp(kept, stream);
        return { state: kept.behaviour.value as S, version: kept.version };
      });
    }
    const kept = newState(stream, aggregate);
    kept.behaviour.begin();
    await this.#fold(kept, stream, wanted);
    if (wanted.version !== undefined && kept.version < wanted.version) {
      throw invalid(
        "version",
        `is ${wanted.version}, but the stream is at version ${kept.version}`,
      );
    }
    return { state: kept.behaviour.value as S, version: kept.version };
  }

  /**
   * Decides by the state in memory, without a read. This state may be old. Events that follow from it meet a conflict, but a
   * rejection or an error would not: then the result is undefined.
   */
  async #attemptAtOnce(kept: Kept, call: Call): Promise<CommandOutcome | undefined> {
    const { expectedVersion = "any" } = call.options;
    if (kept.version === 0 || expectedVersion !== "any") return undefined;
    let decided: Decided;
    try {
      decided = decide(kept, call);
    } catch {
      return undefined;
    }
    const { decision } = decided;
    if (!Array.isArray(decision) || decision.length === 0) return undefined;
    return this.#write(kept, call, decision).catch(ifConflict);
  }

  /** Reads what is new, and decides. */
  async #attempt(kept: Kept, call: Call): Promise<CommandOutcome> {
    await this.#catchUp(kept, call.stream);
    let decided: Decided;
    try {
      decided = decide(kept, call);
    } catch (error) {
      const first = await this.#firstOutcome(call);
      if (first !== undefined) return first;
      throw error;
    }
    const { decision } = decided;
    if (Array.isArray(decision) && decision.length > 0) return this.#write(kept, call, decision);
    return (await this.#firstOutcome(call)) ?? withoutEvents(call.stream, decided);
  }

  async #write(kept: Kept, call: Call, decision: readonly NewEvent[]): Promise<CommandOutcome> {
    const { commandId } = call.options;
    const { metadata = {} } = JSON.parse(call.ready.text) as Command;
    const id = idOfCommand(call);
    const events = decision.map((event, place) => {
      const own = id === undefined ? event : { id: `${id}-${place}`, ...event };
      return caused(own, metadata, commandId);
    });
    const expectedVersion = kept.version === 0 ? "no-stream" : kept.version;
    let appended: AppendResult;
    try {
      const options = { expectedVersion, idempotencyKey: commandId } as const;
      appended = await this.#store.append(call.stream, events, options);
    } catch (error) {
      // The command has made other events before, because the state has changed since.
      const first = isReused(error) ? await this.#committed(call) : undefined;
      if (first === undefined) throw error;
      return first;
    }
    if (appended.replayed) {
      // The decision was made by another state.
      forget(kept);
    } else {
      kept.behaviour.advance();
      kept.version = appended.version;
    }
    return this.#outcome(appended, call);
  }

  /**
   * The first outcome under the id of a command, if it had events. An append under the id that cannot succeed shows at a low
   * cost whether there is one.
   */
  async #firstOutcome(call: Call): Promise<CommandOutcome | undefined> {
    const { commandId } = call.options;
    if (commandId === undefined) return undefined;
    const options = { expectedVersion: Number.MAX_SAFE_INTEGER, idempotencyKey: commandId };
    try {
      await this.#store.append(call.stream, { type: "Nothing" }, options);
    } catch (error) {
      if (isReused(error)) return this.#committed(call);
      if (!isWrongExpectedVersion(error)) throw error;
    }
    return undefined;
  }

  /**
   * The events that are stored under the id of a command. The ids of the events show whether this command has made them.
   *
   * @throws {@link SillokError} `idempotency_key_reused` if another command or an append has made them.
   */
  async #committed(call: Call): Promise<CommandOutcome | undefined> {
    const { stream, options } = call;
    for await (const line of this.#store.exportCommits(stream)) {
      const commit = JSON.parse(line) as ExportedCommit;
      if (commit.key !== options.commandId || commit.keyOrigin !== "client") continue;
      const { firstVersion, version } = commit;
      const time = new Date(commit.time).toISOString();
      const appended = { stream, firstVersion, version, time, replayed: true };
      const outcome = await this.#outcome(appended, call);
      const id = idOfCommand(call);
      if (outcome.events.every((event) => !event.id.startsWith(`${id}-`))) {
        const detail = `another command had this id on stream ${stream}; choose another id`;
        throw new SillokError({ code: "idempotency_key_reused", detail, stream });
      }
      return outcome;
    }
    return undefined;
  }

  async #outcome(
    { stream, firstVersion, version, time, replayed }: Omit<AppendResult, "ids">,
    { aggregate }: Call,
  ): Promise<CommandOutcome & { accepted: true }> {
    const events: RecordedEvent[] = [];
    for await (const event of this.#store.read(stream, { from: firstVersion, to: version })) {
      events.push(newest(aggregate.events, event));
    }
    return { accepted: true, stream, firstVersion, version, time, replayed, events };
  }

  /** Reads what is new of the stream. */
  async #catchUp(kept: Kept, stream: string): Promise<void> {
    try {
      if (kept.version === 0) kept.behaviour.begin();
      await this.#fold(kept, stream, {});
    } catch (error) {
      forget(kept);
      throw error;
    }
  }

  /** Folds the events after the version of the state, up to the wanted version or time. */
  async #fold(kept: Kept, stream: string, { version, time }: LoadOptions): Promise<void> {
    // Also for version 0 an answer must show that the stream still has its first event.
    const range = version === 0 ? { limit: 1 } : { from: kept.version + 1, to: version };
    const answered = ({ first }: ShownVersions) => {
      if (first > kept.version + 1) throw unavailable(stream, first);
    };
    let page: unknown[] = [];
    for await (const event of readRemote(this.#http, stream, range, answered)) {
      const isLater = time !== undefined && Date.parse(event.time) > Number(time);
      if (isLater || version === 0) break;
      page.push([event.version, event.type, event.schemaVersion ?? 1, event.data]);
      if (page.length === FOLDED_EVENTS) page = folded(kept, page);
    }
    folded(kept, page);
  }

  async #inTurn<T>(
    stream: string,
    aggregate: AnyAggregate,
    work: (kept: Kept) => Promise<T>,
  ): Promise<T> {
    return this.#kept.using(stream, aggregate, (kept) => {
      const done = kept.last.then(() => work(kept));
      // The next call begins also after an error.
      kept.last = done.catch(() => {});
      return done;
    });
  }
}

function newState(stream: string, aggregate: AnyAggregate): Kept {
  return { behaviour: new Behaviour(aggregate, stream), version: 0, last: Promise.resolve() };
}

function forget(kept: Kept): void {
  kept.behaviour.drop();
  kept.version = 0;
}

function folded(kept: Kept, page: readonly unknown[]): unknown[] {
  if (page.length > 0) kept.behaviour.fold(JSON.stringify(page));
  kept.version += page.length;
  return [];
}

/** Decides by the state as it is. */
function decide(
  { behaviour, version }: Kept,
  { stream, aggregate, ready, options }: Call,
): Decided {
  const { commandId, expectedVersion } = options;
  checkExpected(stream, version, expectedVersion);
  const command = JSON.parse(ready.text) as Command;
  const data =
    ready.prepared === undefined ? command.data : (JSON.parse(ready.prepared) as unknown);
  const now = Date.now();
  const context = JSON.stringify({ now, version, commandId, metadata: command.metadata ?? {} });
  const decided = behaviour.decide(JSON.stringify({ ...command, data }), context);
  const decision = JSON.parse(decided) as Rejection | NewEvent[];
  if ("events" in decision) throw onlyInObject(aggregate, "has decided timers");
  return { version, now, decision };
}

/** The error of a command that only the object of the stream can decide: it stores timers and sent commands. */
function onlyInObject({ name }: AnyAggregate, why: string): SillokError {
  const where = "Only the server can decide its commands: send them by `connect(url).aggregate(…)`";
  return invalid("aggregate", `${why}: ${name}. ${where}`);
}

/** The outcome of a rejection, or of a decision that nothing happens. */
function withoutEvents(stream: string, { version, now, decision }: Decided): CommandOutcome {
  if (!Array.isArray(decision)) {
    return { accepted: false, rejection: decision, version, replayed: false };
  }
  const time = new Date(now).toISOString();
  const nothing = { stream, firstVersion: version + 1, version, time, events: [] };
  return { accepted: true, ...nothing, replayed: false };
}

/** Checks that HTTP can carry the arguments, as the append of the decision does. */
function checkSent(stream: string, { expectedVersion, commandId }: ExecuteOptions): void {
  streamPath(stream);
  condition(expectedVersion);
  if (commandId === undefined) return;
  try {
    keyHeader(commandId);
  } catch (error) {
    const { code, message } = error as SillokError;
    const detail = message.replace("`idempotencyKey`", "`commandId`");
    throw new SillokError({ code, detail, field: "commandId" });
  }
}

/** The beginning of the ids of a command's events, if it has an id: the same for the same command. */
function idOfCommand({ stream, ready, options }: Call): string | undefined {
  if (options.commandId === undefined) return undefined;
  const { type, data = null } = JSON.parse(ready.text) as Command;
  return hash106(JSON.stringify([stream, options.commandId, type, data]));
}

function isReused(error: unknown): boolean {
  return isSillokError(error) && error.code === "idempotency_key_reused";
}

/** Nothing after a conflict; other errors are thrown. */
function ifConflict(error: unknown): undefined {
  if (!isWrongExpectedVersion(error)) throw error;
}

/** The event with the correlation and the trace of its command, as the engine adds them. Only texts go on. */
function caused(event: NewEvent, given: object, commandId: string | undefined): NewEvent {
  const { correlationId, traceparent } = given as Record<string, unknown>;
  const text = (value: unknown) => (typeof value === "string" ? value : undefined);
  const cause = { correlationId: text(correlationId) ?? commandId, traceparent: text(traceparent) };
  const metadata = { ...cause, ...event.metadata };
  const isEmpty = Object.values(metadata).every((value) => value === undefined);
  return isEmpty ? event : { ...event, metadata };
}

/** The condition of the caller, against the version of the state. */
function checkExpected(
  stream: string,
  actual: number,
  expected: ExpectedVersion | undefined = "any",
): void {
  const holds =
    expected === "any" ||
    (expected === "no-stream" && actual === 0) ||
    (expected === "stream-exists" && actual > 0) ||
    expected === actual;
  if (holds) return;
  const detail = `stream ${stream} is at version ${actual}, not at the expected ${expected}`;
  throw new SillokError({ code: "wrong_expected_version", detail, stream, expected, actual });
}

function unavailable(stream: string, first: number): SillokError {
  const detail = `the state of stream ${stream} needs the events before version ${first}, which were truncated`;
  return new SillokError({ code: "state_unavailable", detail, stream });
}
