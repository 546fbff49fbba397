// Runs the timers of aggregates, and the timers and sent commands of processes, over a store in this program.

import type { AnyAggregate } from "../aggregate/aggregate-store.js";
import { lookedUp, type ReadyCommand } from "../aggregate/command-input.js";
import type { EngineOutcome } from "../aggregate/outcome.js";
import type { Mark } from "../local/changes.js";
import type { AppFailure, FailureListener } from "../consumer/app-failure.js";
import { LocalCommands } from "../local/commands.js";
import type { DueOwn, DueSend, EnginePending } from "../local/engine-pending.js";
import type { LocalEngine } from "../local/engine.js";
import { listPending } from "../local/read.js";
import { type Failure, SillokError } from "../store/errors.js";
import type { SentCommand, Timer } from "../store/pending.js";
import {
  ATTEMPTS_AT_ONE_TIME,
  POLICY_TIMEOUT_MILLIS,
  STREAM_ATTEMPTS_AT_ONE_TIME,
} from "../store/limits.js";
import { sleep, within } from "../time/timers.js";
import { Turn } from "../time/turn.js";
import { type IdleReason, WorkLoop } from "./work-loop.js";

/** An attempt of this program that has failed and is repeated later. */
type Repeated = readonly [stream: string, key: string, isSent: boolean];

/** With so many repeated attempts, the runner looks for those that are repeated no more. */
const LEAST_PRUNED = 256;

export class PendingRunner extends WorkLoop {
  readonly #engine: LocalEngine;
  readonly #pending: EnginePending;
  readonly #commands: LocalCommands;
  readonly #aggregates = new Map<string, AnyAggregate>();
  readonly #turn = new Turn();
  /** The sent commands that have no answer yet. A slow `prepare` of one receiver does not hold up the others. */
  readonly #sending = new Set<Promise<void>>();
  /** The error of the store that has ended the attempt at a sent command. */
  #broken: { readonly error: unknown } | undefined;
  readonly #repeated = new Map<string, Repeated>();
  /** The number of repeated attempts at which they are looked through again. */
  #pruned = LEAST_PRUNED;
  /** The time of the next work. */
  #next: number | undefined;
  /** The last time of a store with a clock of its own, the attempts at that time, and those of each stream. */
  #instant = 0;
  #attempts = 0;
  readonly #attemptsOf = new Map<string, number>();

  readonly #failed: FailureListener;

  /** `failed` hears of each failed attempt. */
  constructor(engine: LocalEngine, failed: FailureListener) {
    super(engine);
    this.#failed = failed;
    this.#engine = engine;
    this.#commands = new LocalCommands(engine);
    this.#pending = engine.pending();
  }

  has(name: string): boolean {
    return this.#aggregates.has(name);
  }

  register(aggregate: AnyAggregate): void {
    this.#pending.register(aggregate.name);
    this.#aggregates.set(aggregate.name, aggregate);
    this.wake();
  }

  override async run(stop: AbortSignal): Promise<void> {
    return this.#whole(() => super.run(stop));
  }

  rest(stop: AbortSignal): Promise<number | undefined> {
    return this.#whole(async () => {
      while (!stop.aborted) {
        const mark = await this.#engine.mark();
        const rest = await this.work(stop);
        if (this.#sending.size > 0) await Promise.race(this.#sending);
        else if (typeof rest !== "number") return undefined;
        else if (this.#engine.hasOwnClock || !(await this.#isRepeated())) return this.#next;
        // The repeat may be cancelled meanwhile.
        else await this.#changed(mark, rest, stop);
      }
      return undefined;
    });
  }

  /** Does the whole of some work: also the sent commands that it has begun get their answers, or the reason why there is none. */
  async #whole<T>(work: () => Promise<T>): Promise<T> {
    try {
      const done = await work();
      await Promise.all(this.#sending);
      this.#check();
      return done;
    } catch (error) {
      await Promise.all(this.#sending);
      // An error that came later is no error of the next work.
      this.#broken = undefined;
      throw error;
    }
  }

  /** Whether an attempt of this program has failed and is repeated later. */
  async #isRepeated(): Promise<boolean> {
    for (const [place, repeated] of this.#repeated) {
      if (await this.#isStill(place, repeated)) return true;
    }
    return false;
  }

  /** Whether this attempt is still repeated. Otherwise it was cancelled, or another program has ended it. */
  async #isStill(place: string, repeated: Repeated): Promise<boolean> {
    if ((await this.#pending.repeatedAt(...repeated)) > 0) return true;
    // It may have failed again meanwhile.
    if (this.#repeated.get(place) === repeated) this.#repeated.delete(place);
    return false;
  }

  /** Notes an attempt that is repeated later. The notes grow only with the attempts that are still repeated. */
  async #note(place: string, repeated: Repeated): Promise<void> {
    this.#repeated.set(place, repeated);
    if (this.#repeated.size < this.#pruned) return;
    this.#pruned = Infinity;
    try {
      for (const noted of [...this.#repeated]) await this.#isStill(...noted);
    } finally {
      this.#pruned = Math.max(2 * this.#repeated.size, LEAST_PRUNED);
    }
  }

  /** Waits for a number of milliseconds, or until the store has changed since the mark. */
  async #changed(mark: Mark, milliseconds: number, stop: AbortSignal): Promise<void> {
    const rested = new AbortController();
    const end = () => rested.abort();
    stop.addEventListener("abort", end);
    try {
      const { signal } = rested;
      await Promise.race([this.#engine.changed(mark, signal), sleep(milliseconds, signal)]);
    } finally {
      end();
      stop.removeEventListener("abort", end);
    }
  }

  protected async steps(stop?: AbortSignal): Promise<IdleReason> {
    while (stop?.aborted !== true) {
      this.#check();
      const next = await this.#pending.next();
      if (typeof next === "number") {
        this.#next = next;
        return Math.max(next - this.#engine.now(), 0);
      }
      if (next === "idle") return next;
      if (next !== "worked") await this.#begin(next);
      if (this.#turn.isOver()) await this.#turn.pass();
    }
    return "interrupted";
  }

  /** Throws the error of a store that could not store an answer. */
  #check(): void {
    const broken = this.#broken;
    this.#broken = undefined;
    if (broken !== undefined) throw broken.error;
  }

  async #begin(next: DueOwn | DueSend): Promise<void> {
    const [stream, key] = next;
    if (next.length === 3) return this.#attempt(stream, key, next[2], () => this.#fire(next));
    const sending = this.#attempt(stream, key, true, () => this.#send(next))
      .catch((error: unknown) => (this.#broken = { error }))
      .then(() => {
        this.#sending.delete(sending);
        this.wake();
      });
    this.#sending.add(sending);
  }

  async #attempt(
    stream: string,
    key: string,
    isSent: boolean,
    attempt: () => Promise<number>,
  ): Promise<void> {
    const place = JSON.stringify([stream, key, isSent]);
    try {
      this.#count(stream, key, isSent);
      const next = await attempt();
      if (next > 0) await this.#note(place, [stream, key, isSent]);
      else this.#repeated.delete(place);
      if (next !== 0) await this.#report(stream, key, isSent, next);
    } finally {
      this.#pending.ended(stream, key, isSent);
    }
  }

  /** Reports a failed attempt. The store has its error. */
  async #report(stream: string, key: string, isSent: boolean, next: number): Promise<void> {
    for await (const one of listPending<Timer | SentCommand>(
      this.#engine,
      stream,
      isSent ? "sent" : "timers",
    )) {
      if (("id" in one ? one.id : one.key) !== key) continue;
      const { code, detail } = one.lastError ?? { code: "internal", detail: "no reason is stored" };
      const after: Pick<AppFailure, "next" | "retryAt"> =
        next > 0 ? { next: "retry", retryAt: new Date(next).toISOString() } : { next: "park" };
      const error = Object.assign(new Error(detail), { code });
      error.stack = `Error: ${detail}`;
      const place = isSent ? { id: key, stream } : { key, stream };
      this.#failed({ ...place, attempt: one.failedAttempts ?? 1, ...after, error });
      return;
    }
  }

  /** Refuses work without an end at one time: the clock of the store moves only after it. */
  #count(stream: string, key: string, isSent: boolean): void {
    if (!this.#engine.hasOwnClock) return;
    const now = this.#engine.now();
    if (now !== this.#instant) {
      [this.#instant, this.#attempts] = [now, 0];
      this.#attemptsOf.clear();
    }
    const own = (this.#attemptsOf.get(stream) ?? 0) + 1;
    this.#attemptsOf.set(stream, own);
    this.#attempts += 1;
    if (own <= STREAM_ATTEMPTS_AT_ONE_TIME && this.#attempts <= ATTEMPTS_AT_ONE_TIME) return;
    const what = isSent ? `the sent command ${key}` : `the timer ${key}`;
    const detail = `${this.#attempts} timers and sent commands were due at the time ${now}, ${own} of them of ${stream}. The last is ${what}. Does a decision set a timer for now again and again?`;
    throw new SillokError({ code: "decider_failed", detail, stream, field: key });
  }

  #fire(own: DueOwn): Promise<number> {
    return this.#using(own[0], (...of) => this.#pending.fire(...of, own));
  }

  async #send(sent: DueSend): Promise<number> {
    const answer = await this.#answer(sent);
    if ("code" in answer) return this.#pending.failed(sent, answer);
    return this.#using(sent[0], (...of) => this.#pending.answered(...of, sent, answer));
  }

  /** The command with what `prepare` of the receiver has looked up. */
  async #prepared([, commandId, stream, command]: DueSend): Promise<ReadyCommand> {
    const looked = lookedUp(this.#registered(stream), command, { stream, commandId });
    return "text" in looked ? looked : within(POLICY_TIMEOUT_MILLIS, looked);
  }

  /** The answer of the receiver, or the reason why there is none. */
  async #answer(sent: DueSend): Promise<EngineOutcome | Failure> {
    const receiver = sent[2];
    try {
      const ready = (await this.#pending.remembers(sent))
        ? { text: sent[3], prepared: undefined }
        : await this.#prepared(sent);
      return await this.#using(receiver, (...of) => this.#pending.execute(...of, sent, ready));
    } catch (thrown) {
      const { code, message } = thrown as Partial<SillokError>;
      return { code: code ?? "internal", detail: message ?? String(thrown) };
    }
  }

  #using<T>(
    stream: string,
    call: Parameters<typeof LocalCommands.prototype.using<T>>[2],
  ): Promise<T> {
    return this.#commands.using(stream, this.#registered(stream), call);
  }

  #registered(stream: string): AnyAggregate {
    const [name = ""] = stream.split("-", 1);
    const aggregate = this.#aggregates.get(name);
    if (aggregate !== undefined) return aggregate;
    const detail = `no aggregate and no process with the name ${JSON.stringify(name)} is registered`;
    throw new SillokError({ code: "no_aggregate", detail });
  }
}
