// The classes of the objects: they hand each call of the runtime on to Rust. The runtime serves RPC only by classes that
// extend DurableObject, and Rust cannot declare such a class.

import { DurableObject } from "cloudflare:workers";

import type { AnyAggregate } from "../js/ts/aggregate/aggregate-store.ts";
import { loggedBehaviour, preparedRequest } from "./aggregate-code.ts";
import { consumerHandler } from "./consumer-handler.ts";
import { type FailureReport, Failures, reportFailure } from "../js/ts/consumer/failures.ts";
import type { Parts } from "./app.ts";
import { Attempts, noticeCrash, Work } from "./crashes.ts";
import type { Engine } from "./engine.ts";
import { type OwnFetch, readsOf } from "./reads.ts";
import { categoryOf, type Registry } from "./registry.ts";
import { isSending, sending } from "./sending.ts";
import { Sender } from "./webhook.ts";

type JournalInRust = InstanceType<Engine["JournalObject"]>;
type AggregateInRust = InstanceType<Engine["AggregateObject"]>;
type ConsumerInRust = InstanceType<Engine["ConsumerObject"]>;
/** A class by which the runtime constructs objects. */
type DurableObjectClass = new (context: DurableObjectState, env: Cloudflare.Env) => DurableObject;
/** The bindings of the objects, under their names in wrangler.toml. */
type Bindings = Record<"AGGREGATE" | "JOURNAL" | "CONSUMER", DurableObjectNamespace>;

/** The stub of an object, by which other objects call it. */
function stubOf(
  { id }: DurableObjectState,
  env: Cloudflare.Env,
  binding: keyof Bindings,
): () => unknown {
  return () => (env as unknown as Bindings)[binding].get(id);
}

/** The place in the environment of an object for the function to which the engine reports failed attempts. */
const FAILED = Symbol.for("sillok.failed");

/** The environment for an object in Rust, which reports the failed attempts of the object. */
function reporting(
  { ctx, env }: { readonly ctx: DurableObjectState; readonly env: Cloudflare.Env },
  failures: Failures,
  onFailure: Parts["onFailure"],
): object {
  const value = (report: string, tenant?: string, consumer?: string) => {
    const of = {
      ...(consumer !== undefined && { consumer }),
      ...(tenant !== undefined && { tenant }),
    };
    const failure = failures.failure(JSON.parse(report) as FailureReport, of);
    const listener = onFailure && (() => onFailure(failure, env));
    ctx.waitUntil(reportFailure(failure, listener));
  };
  return Object.create(env, { [FAILED]: { value } }) as object;
}

/**
 * Each object stores one stream, and decides the commands to its aggregate if its category has one. An object in Rust finds an
 * aggregate in Rust by itself.
 */
export function aggregateClass(
  { AggregateObject }: Engine,
  { aggregates }: Registry,
  onFailure: Parts["onFailure"],
): DurableObjectClass {
  return class Aggregate extends DurableObject {
    readonly #made = new AggregateObject(
      this.ctx,
      reporting({ ctx: this.ctx, env: this.env }, new Failures(), onFailure),
    );
    readonly #work = new Work(stubOf(this.ctx, this.env, "AGGREGATE"));
    #aggregate: AnyAggregate | undefined;
    readonly #setUp = (stream: string): void => {
      const aggregate = aggregates.get(categoryOf(stream));
      this.#aggregate = aggregate;
      if (aggregate === undefined) return;
      const make = () => loggedBehaviour(aggregate, stream);
      this.#made.behavedBy(make, aggregate.appends === "open");
    };

    constructor(ctx: DurableObjectState, env: Cloudflare.Env) {
      super(ctx, env);
      this.#made.setUp(this.#setUp);
    }

    /** The object in Rust. A crash of the engine replaces it: the new one needs the code of the aggregate. */
    get #object(): AggregateInRust {
      if (this.#aggregate !== undefined) this.#made.setUp(this.#setUp);
      return this.#made;
    }

    override fetch(request: Request): Promise<Response> {
      return this.#object.fetch(request);
    }

    override async alarm(): Promise<void> {
      await this.#work.until(this.#object.alarm());
    }

    /** Recovers from a crash of the engine. The runtime repeats an alarm that has not ended. */
    recover(): void {
      this.#work.giveUp();
    }

    append(request: unknown): unknown {
      return this.#object.append(request);
    }

    read(request: unknown): unknown {
      return this.#object.read(request);
    }

    head(request: unknown): unknown {
      return this.#object.head(request);
    }

    verify(request: unknown): unknown {
      return this.#object.verify(request);
    }

    commits(request: unknown): unknown {
      return this.#object.commits(request);
    }

    async execute(request: unknown): Promise<unknown> {
      const remembers = () => this.#object.remembers(request);
      const ready = await preparedRequest(this.#aggregate, request, remembers);
      return ready.failure ?? this.#work.until(this.#object.execute(ready.request));
    }

    state(request: unknown): unknown {
      return this.#work.until(this.#object.state(request));
    }

    pending(request: unknown): unknown {
      return this.#object.pending(request);
    }

    changePending(request: unknown): unknown {
      return this.#object.changePending(request);
    }

    truncate(request: unknown): unknown {
      return this.#work.until(this.#object.truncate(request));
    }

    delete(request: unknown): unknown {
      return this.#work.until(this.#object.delete(request));
    }
  };
}

/**
 * Each object stores one partition of the journal. It wakes the registered consumers, those in Rust and those that requests
 * have defined.
 */
export function journalClass({ JournalObject }: Engine, registry: Registry): DurableObjectClass {
  const consumers = [...registry.consumers.keys()];
  return class Journal extends DurableObject {
    readonly #made = new JournalObject(this.ctx, this.env);
    readonly #work = new Work(stubOf(this.ctx, this.env, "JOURNAL"));

    readonly #setUp = (): void => void this.#made.alsoWakes(consumers);

    /** The object in Rust. A crash of the engine replaces it: the new one needs the names of the consumers. */
    get #object(): JournalInRust {
      if (consumers.length > 0) this.#made.setUp(this.#setUp);
      return this.#made;
    }

    override fetch(request: Request): Promise<Response> {
      return this.#object.fetch(request);
    }

    override async alarm(): Promise<void> {
      await this.#work.until(this.#object.alarm());
    }

    /** Recovers from a crash of the engine. Waiting calls end with an error that can be retried. The runtime repeats an alarm that has not ended. */
    recover(): void {
      this.#work.giveUp();
    }

    record(request: unknown): unknown {
      return this.#work.until(this.#object.record(request));
    }

    register(request: unknown): unknown {
      return this.#object.register(request);
    }

    unregister(request: unknown): unknown {
      return this.#object.unregister(request);
    }

    feed(request: unknown): unknown {
      return this.#object.feed(request);
    }

    streams(request: unknown): unknown {
      return this.#object.streams(request);
    }

    positionOf(request: unknown): unknown {
      return this.#work.until(this.#object.positionOf(request));
    }

    status(request: unknown): unknown {
      return this.#object.status(request);
    }
  };
}

/**
 * Each object runs one consumer: a registered one, one in Rust, or one that a request has defined. `ownFetch` answers the reads
 * of its handler.
 */
export function consumerClass(
  { ConsumerObject }: Engine,
  { consumers }: Registry,
  ownFetch: (env: unknown, own: { readonly tenant: string | undefined }) => OwnFetch,
  onFailure: Parts["onFailure"],
): DurableObjectClass {
  return class Consumer extends DurableObject {
    readonly #failures = new Failures();
    readonly #made = new ConsumerObject(
      this.ctx,
      reporting({ ctx: this.ctx, env: this.env }, this.#failures, onFailure),
    );
    readonly #attempts = new Attempts(stubOf(this.ctx, this.env, "CONSUMER"));
    readonly #sender = new Sender();

    readonly #setUp = (name: string | undefined, tenant: string | undefined): void => {
      const [made, inCode] = [this.#made, name === undefined ? undefined : consumers.get(name)];
      made.watchedBy(this.#attempts, this.#sender);
      if (inCode !== undefined) {
        const reads = readsOf(ownFetch(this.env, { tenant }));
        const handled: [string, object] = isSending(inCode)
          ? sending(inCode, [this.env, tenant])
          : consumerHandler(inCode, this.env, reads, this.#failures);
        made.handledBy(...handled);
      }
      const cutOff = this.#attempts.uncounted;
      if (cutOff !== undefined) made.wasCutOff(cutOff.stream, cutOff.version, cutOff.reason);
    };

    /** The object in Rust. A crash of the engine replaces it: the new one needs the handler and the crashed attempt. */
    get #object(): ConsumerInRust {
      noticeCrash();
      this.#made.setUp(this.#setUp);
      return this.#made;
    }

    override fetch(request: Request): Promise<Response> {
      return this.#object.fetch(request);
    }

    override async alarm(): Promise<void> {
      await this.#attempts.until(this.#object.alarm());
    }

    /** Recovers from a crash of the engine: continues the work that the crash has interrupted. */
    recover(): void {
      this.#attempts.giveUp();
      this.#object.continueWork(undefined);
    }

    wake(request: unknown): unknown {
      return this.#object.wake(request);
    }

    ask(request: unknown): unknown {
      return this.#attempts.until(this.#object.ask(request));
    }
  };
}
