// The shape of a composed Worker, and of its parts.

import type { Client } from "../js/ts/client/client.ts";
import type { AnyAggregate } from "../js/ts/aggregate/aggregate-store.ts";
import type { AnyProcess } from "../js/ts/consumer/process-types.ts";
import type { AppFailure } from "../js/ts/consumer/app-failure.ts";
import type { Projection } from "../js/ts/consumer/projection.ts";
import type { QueueDefinition } from "../js/ts/consumer/queue.ts";
import type { Reactor } from "../js/ts/consumer/reactor.ts";
import type { WebhookDefinition } from "../js/ts/consumer/webhook.ts";

/** The parts of a Worker. */
export interface Parts<
  Aggregates extends readonly AnyAggregate[] = readonly AnyAggregate[],
  Processes extends readonly AnyProcess[] = readonly AnyProcess[],
> {
  /** Aggregates. No two aggregates have the same name. */
  readonly aggregates?: Aggregates;
  /** Processes. A process has the name of no aggregate, and if it follows events, the name of no consumer. */
  readonly processes?: Processes;
  /** Projections. No two consumers have the same name. */
  readonly projections?: readonly Projection<any, any>[];
  /** Reactors, webhooks and queues. No two consumers have the same name. */
  readonly reactors?: readonly (
    Reactor<any, any> | WebhookDefinition<any> | QueueDefinition<any>
  )[];
  /**
   * Answers the requests of your own routes: all paths except `/v1` and those that begin with `/v1/`, which Sillok answers. Default:
   * the assets of the binding `ASSETS`, or the problem `not_found` if there is no such binding.
   *
   * @param request - The request.
   * @param env - The environment of the Worker.
   * @param context - The context of the request.
   */
  fetch?(request: Request, env: any, context: any): Response | Promise<Response>;
  /**
   * Hears of each failed attempt: of a projection, reactor, process, webhook or queue, at a timer, and at a sent command. Sillok
   * also logs it, by `console.error`. Use it to report failures elsewhere. The error of this function is logged, and changes
   * nothing. It runs in the object of the consumer or of the stream, and may be called again for the same attempt after a crash.
   *
   * @param failure - The failed attempt.
   * @param env - The environment of the Worker.
   */
  onFailure?(failure: AppFailure, env: any): void | Promise<void>;
}

/** An object of a Worker. The runtime constructs it and calls it. */
export interface WorkerObject {
  /** The types of Cloudflare know an object by this property. There is no such value at run time. */
  readonly __DURABLE_OBJECT_BRAND: never;
}

/** A class of objects. The runtime constructs the objects and calls them. */
export type ObjectClass = new (context: any, env: any) => WorkerObject;

/** Options of {@link App.connect}. */
export interface OwnOptions {
  /** The tenant whose streams, consumers and documents the client uses. Default: the tenant without a name. */
  readonly tenant?: string | undefined;
}

/** A composed Worker. Export it as the default, and export the classes of its objects under their names. */
export interface App<A extends AnyAggregate = any> {
  /** The classes of the objects, under the names in wrangler.toml. */
  readonly objects: {
    /** Each object stores one stream. */
    readonly Aggregate: ObjectClass;
    /** Each object stores one partition of the journal. */
    readonly Journal: ObjectClass;
    /** Each object runs one consumer. */
    readonly Consumer: ObjectClass;
  };
  /**
   * Answers an HTTP request. Sillok answers the path `/v1` and the paths that begin with `/v1/`. {@link Parts.fetch} answers all others. You
   * can also call it within your own routes.
   */
  fetch(request: Request, env: unknown, context: object): Promise<Response>;
  /**
   * The client for the Worker's own code: streams, aggregates and documents, without the network and without a token. It may do
   * everything that an administrator of the tenant may. Check what your own callers may do before you use it for them.
   *
   * @param env - The environment of the Worker.
   * @param options - The tenant.
   * @throws TypeError when the tenant is not a name.
   */
  connect(env: unknown, options?: OwnOptions): Client<App<A>>;
  /**
   * The runtime's own call for a TCP connection to the default export. Sillok takes none.
   *
   * @throws TypeError always.
   */
  connect(socket: object, env: unknown, context: object): never;
  /** The types of the aggregates and processes. There is no such value at run time. */
  readonly "~aggregate"?: A | undefined;
}
