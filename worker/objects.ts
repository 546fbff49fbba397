// The classes of the objects: what the runtime calls, handed on to Rust. The runtime takes RPC only from classes of this
// kind, which Rust cannot declare.

import { DurableObject } from "cloudflare:workers";

import { AggregateObject, ConsumerObject, JournalObject } from "./build/index.js";
import { type Handled, handlerOf } from "./handlers.ts";

/** What the runtime constructs objects by. */
type ObjectClass = new (context: DurableObjectState, env: Cloudflare.Env) => DurableObject;

/** Keeps one stream. */
export class Aggregate extends DurableObject {
  readonly #object = new AggregateObject(this.ctx, this.env);

  override fetch(request: Request): Promise<Response> {
    return this.#object.fetch(request);
  }

  override async alarm(): Promise<void> {
    await this.#object.alarm();
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
    return this.#object.truncate(request);
  }

  delete(request: unknown): unknown {
    return this.#object.delete(request);
  }
}

/** Keeps one partition of the journal, which wakes these consumers beside those that are registered by requests. */
export function journalClass(consumers: readonly string[]): ObjectClass {
  return class Journal extends DurableObject {
    readonly #object = new JournalObject(this.ctx, this.env);

    constructor(context: DurableObjectState, env: Cloudflare.Env) {
      super(context, env);
      this.#object.alsoWakes([...consumers]);
    }

    override fetch(request: Request): Promise<Response> {
      return this.#object.fetch(request);
    }

    override async alarm(): Promise<void> {
      await this.#object.alarm();
    }

    record(request: unknown): unknown {
      return this.#object.record(request);
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
      return this.#object.positionOf(request);
    }

    status(request: unknown): unknown {
      return this.#object.status(request);
    }
  };
}

/** Runs one consumer: one of these, or one that was defined by a request. */
export function consumerClass(handled: ReadonlyMap<string, Handled>): ObjectClass {
  return class Consumer extends DurableObject {
    readonly #object = new ConsumerObject(this.ctx, this.env);

    constructor(context: DurableObjectState, env: Cloudflare.Env) {
      super(context, env);
      const inCode = handled.get(this.#object.name());
      if (inCode !== undefined) this.#object.handledBy(...handlerOf(inCode));
    }

    override async alarm(): Promise<void> {
      await this.#object.alarm();
    }

    wake(request: unknown): unknown {
      return this.#object.wake(request);
    }

    ask(request: unknown): unknown {
      return this.#object.ask(request);
    }
  };
}
