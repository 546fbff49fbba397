// Commands over a remote store: they are decided here, at the caller, against the version that was read.

import { Behaviour } from "../aggregate/behaviour.js";
import type { Command } from "../aggregate/types.js";
import type {
  AnyAggregate,
  CommandOutcome,
  ExecuteOptions,
  LoadedState,
  LoadOptions,
} from "../aggregate/aggregate-store.js";
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
import { KEPT_STATES } from "../store/limits.js";
import type { ExpectedVersion } from "../store/options.js";
import type { Store } from "../store/store.js";

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

/** The commands of one remote store. */
export class RemoteCommands {
  readonly #store: Store;
  /** The states in memory. The one that was used last is the last. */
  readonly #kept = new Map<AnyAggregate, Map<string, Kept>>();

  constructor(store: Store) {
    this.#store = store;
  }

  async attempt(
    stream: string,
    command: unknown,
    aggregate: AnyAggregate,
    options: ExecuteOptions,
  ): Promise<CommandOutcome> {
    const ready = await readyCommand(stream, command, aggregate, options);
    return this.#inTurn(stream, aggregate, async (kept) => {
      // A state in memory may be old. Events that follow from it meet a conflict, but a rejection would not.
      if (kept.version > 0 && options.expectedVersion === undefined) {
        const outcome = await this.#decide(kept, stream, ready, options).catch(ifConflict);
        if (outcome?.accepted === true && outcome.events.length > 0) return outcome;
      }
      for (let left = attemptsOf(options); ; left -= 1) {
        await this.#catchUp(kept, stream);
        try {
          return await this.#decide(kept, stream, ready, options);
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
    const kept = newState(aggregate, stream);
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

  async #decide(
    kept: Kept,
    stream: string,
    ready: ReadyCommand,
    { commandId, expectedVersion }: ExecuteOptions,
  ): Promise<CommandOutcome> {
    const { behaviour, version } = kept;
    checkExpected(stream, version, expectedVersion);
    const command = JSON.parse(ready.text) as Command;
    const data =
      ready.prepared === undefined ? command.data : (JSON.parse(ready.prepared) as unknown);
    const { metadata = {} } = command;
    const now = Date.now();
    const context = JSON.stringify({ now, version, commandId, metadata });
    const decided = behaviour.decide(JSON.stringify({ ...command, data }), context);
    const decision = JSON.parse(decided) as Rejection | NewEvent[];
    if (!Array.isArray(decision)) {
      return { accepted: false, rejection: decision, version, replayed: false };
    }
    if (decision.length === 0) {
      const time = new Date(now).toISOString();
      const nothing = { stream, firstVersion: version + 1, version, time, events: [] };
      return { accepted: true, ...nothing, replayed: false };
    }
    const events = decision.map((event) => caused(event, metadata, commandId));
    const expected = version === 0 ? "no-stream" : version;
    const appended = await this.#append(stream, events, expected, commandId);
    const recorded = await this.#recorded(appended);
    if (appended.replayed) {
      // The decision was made by another state.
      forget(kept);
    } else {
      behaviour.advance();
      kept.version = appended.version;
    }
    return { accepted: true, ...appended, events: recorded };
  }

  async #append(
    stream: string,
    events: readonly NewEvent[],
    expectedVersion: ExpectedVersion,
    commandId: string | undefined,
  ): Promise<AppendResult> {
    try {
      return await this.#store.append(stream, events, {
        expectedVersion,
        idempotencyKey: commandId,
      });
    } catch (error) {
      const isReused = isSillokError(error) && error.code === "idempotency_key_reused";
      const first = isReused ? await this.#committed(stream, commandId) : undefined;
      if (first === undefined) throw error;
      return first;
    }
  }

  /** The first outcome under this id, if this command has made other events then: the state has changed since. */
  async #committed(
    stream: string,
    commandId: string | undefined,
  ): Promise<AppendResult | undefined> {
    for await (const line of this.#store.exportCommits(stream)) {
      const commit = JSON.parse(line) as ExportedCommit;
      if (commit.key !== commandId || commit.keyOrigin !== "client") continue;
      const { firstVersion, version } = commit;
      const time = new Date(commit.time).toISOString();
      return { stream, firstVersion, version, time, replayed: true };
    }
    return undefined;
  }

  async #recorded({ stream, firstVersion, version }: AppendResult): Promise<RecordedEvent[]> {
    const events: RecordedEvent[] = [];
    for await (const event of this.#store.read(stream, { from: firstVersion, to: version })) {
      events.push(event);
    }
    return events;
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
    const from = kept.version + 1;
    if (version !== undefined && from > version) return;
    let page: unknown[] = [];
    for await (const event of this.#store.read(stream, { from, to: version })) {
      if (event.version !== kept.version + page.length + 1)
        throw unavailable(stream, event.version);
      if (time !== undefined && Date.parse(event.time) > Number(time)) break;
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
    const kept = this.#keep(stream, aggregate);
    const done = kept.last.then(() => work(kept));
    // The next call begins also after an error.
    kept.last = done.catch(() => {});
    return done;
  }

  #keep(stream: string, aggregate: AnyAggregate): Kept {
    const streams = this.#kept.get(aggregate) ?? new Map<string, Kept>();
    const kept = streams.get(stream) ?? newState(aggregate, stream);
    streams.delete(stream);
    streams.set(stream, kept);
    this.#kept.set(aggregate, streams);
    const [oldest] = streams.keys();
    if (streams.size > KEPT_STATES && oldest !== undefined) streams.delete(oldest);
    return kept;
  }
}

function newState(aggregate: AnyAggregate, stream: string): Kept {
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

/** Nothing after a conflict; other errors are thrown. */
function ifConflict(error: unknown): undefined {
  if (!isWrongExpectedVersion(error)) throw error;
}

/** The event with the correlation of its command. */
function caused(event: NewEvent, given: object, commandId: string | undefined): NewEvent {
  const { correlationId = commandId, traceparent } = given as Record<string, unknown>;
  const metadata = { correlationId, traceparent, ...event.metadata };
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
