// Composes a Worker: Sillok's HTTP interface and objects over an engine, with the user's aggregates, processes, projections and
// reactors.

import { Client } from "../js/ts/client/client.ts";
import type { AnyAggregate } from "../js/ts/aggregate/aggregate-store.ts";
import type { AnyProcess } from "../js/ts/consumer/process-types.ts";
import type { Projection } from "../js/ts/consumer/projection.ts";
import type { Reactor } from "../js/ts/consumer/reactor.ts";
import { STREAM_ID_BYTES } from "../js/ts/store/limits.ts";
import { isName } from "../js/ts/store/names.ts";
import { described } from "./described.ts";
import type { Engine } from "./engine.ts";
import { newestEvents } from "./newest-events.ts";
import { aggregateClass, consumerClass, journalClass } from "./objects.ts";
import type { OwnFetch } from "./reads.ts";
import { type Registry, registryOf } from "./registry.ts";

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
  /** Reactors. No two consumers have the same name. */
  readonly reactors?: readonly Reactor<any, any>[];
}

/** A class of objects. The runtime constructs the objects and calls them. */
export type ObjectClass = new (context: any, env: any) => object;

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
  /** Answers an HTTP request. Its paths begin with `/v1/`. You can call it within your own routes. */
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
  /** The types of the aggregates and processes. There is no such value at run time. */
  readonly "~aggregate"?: A | undefined;
}

/** The place in the environment for what a request needs. No binding, variable or header has a symbol as its name. */
const COMPOSED = Symbol.for("sillok.composed");
/** The context of the Worker's own requests. The engine uses none of it. */
const NO_CONTEXT = { waitUntil() {}, passThroughOnException() {} };

/**
 * Composes a Worker.
 *
 * JavaScript holds the definitions that TypeScript code registers, and every object has the same ones: the engine stores
 * none of them between two calls. The engine has the definitions in Rust whenever it is loaded.
 */
export function compose<
  const Aggregates extends readonly AnyAggregate[],
  const Processes extends readonly AnyProcess[],
>(
  engine: Engine,
  parts: Parts<Aggregates, Processes>,
): App<Aggregates[number] | Processes[number]> {
  const { aggregates = [], processes = [], projections = [], reactors = [] } = parts;
  const consumers = [...projections, ...reactors];
  const registry = registryOf(aggregates, processes, consumers, {
    aggregates: engine.AggregateObject.inRust(),
    consumers: engine.ConsumerObject.inRust(),
  });
  const inEnv = composed(registry);
  const ownFetch = (env: unknown, options: OwnOptions): OwnFetch => {
    const own = inEnv(env, options);
    return (url, request) => answer(engine, new Request(url, request), own, NO_CONTEXT);
  };
  const objects = {
    Aggregate: aggregateClass(engine, registry),
    Journal: journalClass(engine, registry),
    Consumer: consumerClass(engine, registry, ownFetch),
  };
  return {
    objects,
    fetch: (request, env, context) => answer(engine, request, inEnv(env), context),
    connect(env, { tenant } = {}) {
      if (tenant !== undefined && !isName(tenant, STREAM_ID_BYTES)) {
        const name = "a string of 1 to 200 bytes without control characters";
        throw new TypeError(`the tenant must be ${name}`);
      }
      return new Client({ fetch: ownFetch(env, { tenant }) }, {});
    },
  };
}

/** Adds to an environment what a request needs of the registry. `own` is for requests of the Worker's own code. */
function composed({ aggregates }: Registry) {
  let text: string | undefined;
  return (env: unknown, own?: OwnOptions): unknown => {
    if (aggregates.size === 0 && own === undefined) return env;
    const value = {
      get aggregates() {
        return (text ??= JSON.stringify(described(aggregates.values())));
      },
      newestEvents: (page: string) => newestEvents(aggregates, page),
      own,
    };
    return Object.create(env as object, { [COMPOSED]: { value } });
  };
}

async function answer(
  { default: Gateway }: Engine,
  request: Request,
  env: unknown,
  context: object,
): Promise<Response> {
  try {
    return await new Gateway(context, env).fetch(request);
  } catch (error) {
    // Rust answers all of its errors. Here the engine itself has crashed: the caller still gets a problem document,
    // and not the runtime's page.
    console.error(error);
    const detail = "the request could not be carried out; the cause is in the Worker's log";
    const problem = {
      type: "about:blank",
      title: "Internal Server Error",
      status: 500,
      code: "internal",
      detail,
    };
    const headers = {
      "Cache-Control": "no-store, no-transform",
      "Content-Type": "application/problem+json",
    };
    return Response.json(problem, { status: 500, headers });
  }
}
