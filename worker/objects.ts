// The classes of the objects: what the runtime calls, handed on to Rust. The runtime takes RPC only from classes of this
// kind, which Rust cannot declare.

import { DurableObject } from "cloudflare:workers";

import type { AnyConsumer } from "sillok";

import { handlerOf } from "./consumer-handler.ts";
import { Attempts, noticeCrash, Work } from "./crashes.ts";
import type { Engine } from "./engine.ts";

type JournalInRust = InstanceType<Engine["JournalObject"]>;
type ConsumerInRust = InstanceType<Engine["ConsumerObject"]>;
/** What the runtime constructs objects by. */
type ObjectClass = new (context: DurableObjectState, env: Cloudflare.Env) => DurableObject;
/** The bindings of the objects, as wrangler.toml names them. */
type Bindings = Record<"AGGREGATE" | "JOURNAL" | "CONSUMER", DurableObjectNamespace>;

/** An object as others call it. */
function itself(
  { id }: DurableObjectState,
  env: Cloudflare.Env,
  binding: keyof Bindings,
): () => unknown {
  return () => (env as unknown as Bindings)[binding].get(id);
}

/** Each keeps one stream. */
export function aggregateClass({ AggregateObject }: Engine): ObjectClass {
  return class Aggregate extends DurableObject {
    readonly #object = new AggregateObject(this.ctx, this.env);
    readonly #work = new Work(itself(this.ctx, this.env, "AGGREGATE"));

    override fetch(request: Request): Promise<Response> {
      return this.#object.fetch(request);
    }

    override async alarm(): Promise<void> {
      await this.#work.until(this.#object.alarm());
    }

    /** After a crash of the engine: the runtime rings an alarm again that was not over. */
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

    truncate(request: unknown): unknown {
      return this.#work.until(this.#object.truncate(request));
    }

    delete(request: unknown): unknown {
      return this.#work.until(this.#object.delete(request));
    }
  };
}

/** Each keeps one partition of the journal, which wakes these consumers beside those of Rust and those that are registered by requests. */
export function journalClass({ JournalObject }: Engine, consumers: readonly string[]): ObjectClass {
  return class Journal extends DurableObject {
    readonly #made = new JournalObject(this.ctx, this.env);
    readonly #work = new Work(itself(this.ctx, this.env, "JOURNAL"));

    /** It is another one after a crash of the engine, and has to be told anew. */
    get #object(): JournalInRust {
      if (consumers.length > 0 && !this.#made.isTold()) this.#made.alsoWakes([...consumers]);
      return this.#made;
    }

    override fetch(request: Request): Promise<Response> {
      return this.#object.fetch(request);
    }

    override async alarm(): Promise<void> {
      await this.#work.until(this.#object.alarm());
    }

    /** After a crash of the engine: whoever waits is told to ask again, and the runtime rings an alarm that was not over. */
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

/** Each runs one consumer: one of these, one of Rust, or one that was defined by a request. */
export function consumerClass(
  { ConsumerObject }: Engine,
  handled: ReadonlyMap<string, AnyConsumer>,
): ObjectClass {
  return class Consumer extends DurableObject {
    readonly #made = new ConsumerObject(this.ctx, this.env);
    readonly #inCode = handled.get(this.#made.name());
    readonly #attempts = new Attempts(itself(this.ctx, this.env, "CONSUMER"));

    /** It is another one after a crash of the engine, and has to be told anew. */
    get #object(): ConsumerInRust {
      noticeCrash();
      const made = this.#made;
      if (!made.isTold()) {
        made.watchedBy(this.#attempts);
        if (this.#inCode !== undefined) made.handledBy(...handlerOf(this.#inCode));
        const cutOff = this.#attempts.uncounted;
        if (cutOff !== undefined) made.wasCutOff(cutOff.stream, cutOff.version, cutOff.reason);
      }
      return made;
    }

    override async alarm(): Promise<void> {
      await this.#attempts.until(this.#object.alarm());
    }

    /** After a crash of the engine: goes on with what was under way. */
    recover(): void {
      this.#attempts.giveUp();
      this.#object.goOn(undefined);
    }

    wake(request: unknown): unknown {
      return this.#object.wake(request);
    }

    ask(request: unknown): unknown {
      return this.#attempts.until(this.#object.ask(request));
    }
  };
}
