// An aggregate's own code over the state of one stream. The engine decides when it is called, and stores what it returns.

import { SillokError } from "../store/errors.js";
import { fieldAt, writeExactJson, writeJson } from "../store/json.js";
import { called, failed, guarded } from "./called.js";
import { checkData, checkedCommand, type DecidedJson, partsOf } from "./decided.js";
import { definitionOf, upcastAt } from "./events.js";
import { deepFreeze, freezeState } from "./freeze.js";
import {
  followedEvent,
  type FollowedEvent,
  isProcess,
  noAnswered,
  type ProcessRules,
  type ReactionFunction,
} from "./process-rules.js";
import { isRejected, type Rejected } from "./reject.js";
import type { Aggregate, CommandContext } from "./types.js";

/** The functions of an aggregate, of any types. */
interface Rules {
  readonly decide: (command: unknown, state: unknown, context: CommandContext) => unknown;
  readonly evolve: (state: unknown, event: unknown) => unknown;
}
/** A state, which may be any value. */
interface Held {
  readonly state: unknown;
}
/** The context of a decision, as the engine passes it. */
type GivenContext = Omit<CommandContext, "stream">;
/** An answer to a sent command, as the engine passes it. */
type NamedAnswer = { readonly name: string; readonly accepted: boolean };
/** A stored event, as the engine passes it. */
type StoredEvent = readonly [version: number, type: string, schemaVersion: number, data: unknown];

/**
 * The state of one stream, and the aggregate's code that changes it. All states are deeply frozen, so that no code can change
 * one. What is thrown is a {@link SillokError}; `cause` has what the aggregate's own code has thrown.
 */
export class Behaviour {
  /**
   * The name of the code for snapshots: the state version, and the schema versions that are not 1, sorted by type. Where unknown
   * events are skipped, the declared types too: code that declares more of them has another state.
   */
  readonly code: string;
  /** A snapshot is due after so many events; never if it is 0. */
  readonly snapshotEvents: number;
  /** A snapshot is due after so many bytes of events; 0 is no bound. */
  readonly snapshotBytes: number;
  /** How long outcomes are remembered, in milliseconds; 0 for as long as the stream. */
  readonly rememberMillis: number;
  /** Whether the code is a process, which may end. */
  readonly mayEnd: boolean;
  readonly #aggregate: Aggregate;
  readonly #rules: Rules;
  readonly #process: ProcessRules | undefined;
  readonly #stream: string;
  #live: Held | undefined;
  #candidate: Held | undefined;

  constructor(aggregate: Aggregate, stream: string) {
    this.#aggregate = aggregate;
    this.#rules = aggregate as unknown as Rules;
    this.#process = isProcess(aggregate) ? aggregate : undefined;
    this.#stream = stream;
    this.code = codeOf(aggregate);
    this.snapshotEvents = aggregate.snapshotEvery.events;
    this.snapshotBytes = aggregate.snapshotEvery.bytes;
    this.rememberMillis = aggregate.rememberOutcomes;
    this.mayEnd = this.#process !== undefined;
  }

  /** The state becomes that of a stream without events. */
  begin(): void {
    this.drop();
    const name = () => this.#named("initialState");
    const state = called(() => this.#aggregate.initialState(), name);
    this.#live = this.#held(state, name);
  }

  /** The state becomes that of a snapshot, given as JSON. Returns false if the text is no JSON. */
  restore(state: string): boolean {
    this.drop();
    try {
      this.#live = { state: deepFreeze(JSON.parse(state)) };
      return true;
    } catch {
      return false;
    }
  }

  /**
   * Folds stored events into the state: JSON `[[version, type, schemaVersion, data], …]`. Throws at the first event that
   * cannot be folded; the state is then as before.
   */
  fold(events: string): void {
    let held = this.#state();
    for (const [version, type, schemaVersion, data] of JSON.parse(events) as StoredEvent[]) {
      const place = `version ${version} of ${this.#stream}`;
      if (!this.#isKnown(type, place)) continue;
      const newest = upcastAt(this.#aggregate.events, { type, schemaVersion, data }, place);
      held = this.#evolved(held, type, newest, place);
    }
    this.#live = held;
    this.#candidate = undefined;
  }

  /**
   * Decides a command: JSON `{"type","data","metadata"}`, in the context `{"now","version","commandId"?,"timer"?,"metadata"}`. Checks
   * the command and each event by their schemas, and folds the events into a candidate for the state.
   *
   * @returns JSON. An array of events, empty if nothing happens, if nothing else is decided. An object
   * `{"events","timers"?,"sent"?,"ended"?}` if the decision has timers or sent commands, or ends a process. Or another object:
   * the rejection.
   */
  decide(command: string, context: string): string {
    this.#candidate = undefined;
    const held = this.#state();
    const { type, data, metadata } = checkedCommand(this.#aggregate, command);
    const name = () => `${this.#named("decide")}, for the command ${type},`;
    const given = JSON.parse(context) as GivenContext;
    const { version, now, commandId, timer } = given;
    const all = { ...metadata, ...given.metadata };
    const decision = called(() => {
      const own = deepFreeze({
        stream: this.#stream,
        version,
        now,
        commandId,
        metadata: all,
        timer,
      });
      return this.#rules.decide(deepFreeze({ type, data }), held.state, own);
    }, name);
    if (isRejected(decision)) return rejected(decision, name());
    return this.#accept(held, decision, name);
  }

  /**
   * Decides by an event of another stream: JSON as in a feed. Nothing happens if the process does not follow the event.
   *
   * @returns JSON as {@link Behaviour.decide}, without a rejection.
   */
  on(event: string, context: string): string {
    const process = this.#ownProcess();
    const given = JSON.parse(context) as GivenContext;
    const followed = followedEvent(process, JSON.parse(event) as FollowedEvent);
    const { type = "" } = followed ?? {};
    const name = () => `${this.#named("on")}, for the event ${type},`;
    return this.#react(process.on[type], followed, given, name);
  }

  /**
   * Decides by an answer to a sent command: JSON `{"name","accepted":true,"stream","version"}` or
   * `{"name","accepted":false,"stream","rejection"}`.
   *
   * @returns JSON as {@link Behaviour.decide}, without a rejection.
   * @throws {@link SillokError} `decider_failed` if the process has no function for the name: it had one when the command was
   * sent. The answer is attempted again, and not lost.
   */
  answered(answer: string, context: string): string {
    const process = this.#ownProcess();
    const { name, ...own } = JSON.parse(answer) as NamedAnswer;
    const called = () => `${this.#named("answered")}, for the answer to ${name},`;
    const decide = process.answered[name];
    if (decide === undefined) throw failed(noAnswered(this.#aggregate, name));
    return this.#react(decide, own, JSON.parse(context) as GivenContext, called);
  }

  /** Whether the instance of a process is over. Always false for an aggregate. */
  isEnded(): boolean {
    return this.#endsWith(this.#state());
  }

  /** The candidate of the last decision becomes the state. */
  advance(): void {
    if (this.#candidate === undefined) return;
    this.#live = this.#candidate;
    this.#candidate = undefined;
  }

  /** Forgets the candidate and the state. */
  drop(): void {
    this.#live = undefined;
    this.#candidate = undefined;
  }

  /** The state itself, which is frozen. */
  get value(): unknown {
    return this.#state().state;
  }

  /**
   * The state as JSON: the same text on every platform.
   *
   * @throws {@link SillokError} `decider_failed` where JSON would change the state.
   */
  state(): string {
    return this.#stateJson(this.#state().state);
  }

  #stateJson(state: unknown): string {
    try {
      return writeExactJson(state, "state");
    } catch (refused) {
      const { message } = refused as SillokError;
      const { kind, name } = this.#aggregate;
      throw failed(`the state of the ${kind} ${name} is wrong: ${message}`, refused);
    }
  }

  /**
   * Checks the events of a direct append by their schemas: JSON, an array of events or one event.
   *
   * @returns JSON: the newest schema version of each event's type.
   * @throws {@link SillokError} `invalid_event`, whose `field` names the wrong part.
   */
  check(events: string): string {
    const { events: definitions } = this.#aggregate;
    const appended = JSON.parse(events) as { type: string; data?: unknown }[] | { type: string };
    const isArray = Array.isArray(appended);
    const versions = (isArray ? appended : [appended]).map((event, place) => {
      const name = isArray ? fieldAt("events", [place]) : "";
      const { type, data = null } = event as { type: string; data?: unknown };
      checkData(definitions, type, deepFreeze(data), name);
      return definitionOf(definitions, type)?.schemaVersion ?? 1;
    });
    return JSON.stringify(versions);
  }

  /** Decides by an input that is no command. Without a function for it, nothing happens. */
  #react(
    decide: ReactionFunction | undefined,
    input: unknown,
    { version, now, commandId, metadata, timer }: GivenContext,
    name: () => string,
  ): string {
    this.#candidate = undefined;
    const held = this.#state();
    if (decide === undefined) return this.#accept(held, [], name);
    const decision = called(() => {
      const own = deepFreeze({ stream: this.#stream, version, now, commandId, metadata, timer });
      return decide(deepFreeze(input) as never, held.state as never, own);
    }, name);
    if (!isRejected(decision)) return this.#accept(held, decision, name);
    throw failed(
      `${name()} has returned a rejection. Only \`decide\` can reject: return [] instead`,
    );
  }

  /** Checks a decision, folds its events into the candidate, and returns it as JSON. */
  #accept(held: Held, decision: unknown, name: () => string): string {
    const { events, timers, sent } = guarded(
      () => partsOf(this.#aggregate, decision, name()),
      name,
    );
    const texts = this.#foldDecided(held, events);
    const isEnd = this.#endsWith(this.#candidate ?? held);
    if (timers.length === 0 && sent.length === 0 && !isEnd) return texts;
    const members = [`"events":${texts}`];
    if (timers.length > 0) members.push(`"timers":[${timers.join(",")}]`);
    if (sent.length > 0) members.push(`"sent":[${sent.join(",")}]`);
    if (isEnd) members.push('"ended":true');
    return `{${members.join(",")}}`;
  }

  #foldDecided(held: Held, events: readonly DecidedJson[]): string {
    let candidate = held;
    const texts = events.map(({ name, type, dataText, fields }) => {
      const data = deepFreeze(JSON.parse(dataText));
      checkData(this.#aggregate.events, type, data, name);
      candidate = this.#evolved(candidate, type, data, "a decided event");
      const schemaVersion = definitionOf(this.#aggregate.events, type)?.schemaVersion ?? 1;
      const version = schemaVersion === 1 ? "" : `,"schemaVersion":${schemaVersion}`;
      return `{"type":${JSON.stringify(type)},"data":${dataText}${version}${fields}}`;
    });
    this.#candidate = candidate;
    return `[${texts.join(",")}]`;
  }

  #endsWith({ state }: Held): boolean {
    const ended = this.#process?.ended;
    if (ended === undefined) return false;
    const name = () => this.#named("ended");
    const isEnd = called(() => ended(state as never), name);
    if (typeof isEnd === "boolean") return isEnd;
    throw failed(`${name()} must return true or false`);
  }

  #ownProcess(): ProcessRules {
    if (this.#process !== undefined) return this.#process;
    const detail = `the aggregate ${this.#aggregate.name} takes only commands: it is no process`;
    throw new SillokError({ code: "internal", detail });
  }

  #evolved({ state }: Held, type: string, data: unknown, place: string): Held {
    const name = () => `${this.#named("evolve")}, for ${place}, ${type},`;
    return this.#held(
      called(() => this.#rules.evolve(state, { type, data }), name),
      name,
    );
  }

  #held(state: unknown, name: () => string): Held {
    if (state === undefined) throw failed(`${name()} has returned nothing instead of a state`);
    // What cannot be frozen is no value of JSON either.
    if (!called(() => freezeState(state), name)) this.#stateJson(state);
    return { state };
  }

  #isKnown(type: string, place: string): boolean {
    const { kind, name, events, unknownEvents } = this.#aggregate;
    if (events.byType === undefined || definitionOf(events, type) !== undefined) return true;
    if (unknownEvents === "skip") return false;
    const detail = `${place} has the type ${type}, which the ${kind} ${name} does not declare`;
    throw new SillokError({ code: "unknown_event", detail, stream: this.#stream });
  }

  #state(): Held {
    if (this.#live !== undefined) return this.#live;
    const detail = `the state of ${this.#stream} is not loaded`;
    throw new SillokError({ code: "internal", detail });
  }

  #named(method: string): string {
    const { kind, name } = this.#aggregate;
    return `\`${method}\` of the ${kind} ${name}`;
  }
}

function codeOf({ stateVersion, events: { byType = {} }, unknownEvents }: Aggregate): string {
  const versions = Object.entries(byType)
    .filter(([, { schemaVersion }]) => schemaVersion !== 1)
    .map(([type, { schemaVersion }]) => `${escaped(type)}=${schemaVersion}`);
  const code = [stateVersion, ...versions.toSorted()].join(";");
  if (unknownEvents !== "skip") return code;
  return `${code}|${Object.keys(byType).map(escaped).toSorted().join(";")}`;
}

function escaped(type: string): string {
  return type.replace(/[%;=|]/g, encodeURIComponent);
}

function rejected({ rejection: { code, data } }: Rejected, name: string): string {
  if (data === undefined) return JSON.stringify({ code });
  try {
    return `{"code":${JSON.stringify(code)},"data":${writeJson(data, "rejection.data").text}}`;
  } catch (refused) {
    const why = refused instanceof SillokError ? `: ${refused.message}` : "";
    throw failed(`${name} has returned a wrong rejection${why}`, refused);
  }
}
