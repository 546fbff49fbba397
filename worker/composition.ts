// Composes a Worker: Sillok's HTTP interface and objects over an engine, with the user's aggregates, processes, projections and
// reactors.

import { Client } from "../js/ts/client/client.ts";
import type { AnyAggregate } from "../js/ts/aggregate/aggregate-store.ts";
import type { AnyProcess } from "../js/ts/consumer/process-types.ts";
import { checkListener } from "../js/ts/consumer/failures.ts";
import { STREAM_ID_BYTES } from "../js/ts/store/limits.ts";
import { isName } from "../js/ts/store/names.ts";
import type { App, OwnOptions, Parts } from "./app.ts";
import { type Misconfiguration, problem } from "./configuration.ts";
import { described } from "./described.ts";
import { newestEvents } from "./newest-events.ts";
import { READY, Readiness } from "./readiness.ts";
import type { OwnFetch } from "./reads.ts";
import { type Registry, registryOf, type Taken } from "./registry.ts";

/** Makes the fetch of the Worker's own code, which needs no token, for a tenant. */
export type OwnFetchOf = (env: unknown, own: OwnOptions) => OwnFetch;

/** What the objects need of the composition, beside the registry. */
export interface ObjectParts {
  readonly ownFetch: OwnFetchOf;
  readonly onFailure: Parts["onFailure"];
}

/** Where a composed Worker runs. */
export interface Platform {
  /** The names of the definitions in Rust. */
  readonly inRust: Taken;
  /** Makes the classes of the objects. */
  objects(registry: Registry, of: ObjectParts): App["objects"];
  /** Answers an HTTP request. */
  answer(request: Request, env: unknown, context: object): Promise<Response>;
  /** What is wrong in the configuration. */
  misconfiguration(env: object): Misconfiguration | undefined;
  /** Checks that the Worker's own code can call the objects here. */
  checkCalls(): void;
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
  platform: Platform,
  parts: Parts<Aggregates, Processes>,
): App<Aggregates[number] | Processes[number]> {
  const { aggregates = [], processes = [], projections = [], reactors = [] } = parts;
  const consumers = [...projections, ...reactors];
  const registry = registryOf(aggregates, processes, consumers, platform.inRust);
  const inEnv = composed(registry);
  const ownFetch: OwnFetchOf = (env, options) => {
    const own = inEnv(env, options);
    return (url, request) => answered(new Request(url, request), [env, own], NO_CONTEXT);
  };
  const stranger =
    (env: unknown): OwnFetch =>
    (url, request) =>
      answered(new Request(url, request), [env, inEnv(env)], NO_CONTEXT);
  const readiness = new Readiness();

  /** Answers a request with the environment of the Worker, unless its configuration is wrong, and with that of the request. */
  async function answered(
    request: Request,
    [env, own]: readonly [unknown, unknown],
    context: object,
  ): Promise<Response> {
    const wrong = platform.misconfiguration(env as object);
    if (wrong !== undefined && !isFor(request, "/v1/health")) return problem(500, wrong);
    return platform.answer(request, own, context);
  }

  function connect(env: unknown, options?: OwnOptions): Client<any>;
  function connect(socket: object, env: unknown, context: object): never;
  function connect(env: unknown, options?: unknown, context?: object): Client<any> {
    if (context !== undefined) throw new TypeError("this Worker takes no TCP connections");
    const { tenant } = (options ?? {}) as OwnOptions;
    if (tenant !== undefined && !isName(tenant, STREAM_ID_BYTES)) {
      const name = "a string of 1 to 200 bytes without control characters";
      throw new TypeError(`the tenant must be ${name}`);
    }
    platform.checkCalls();
    return new Client({ fetch: ownFetch(env, { tenant }) }, {});
  }
  return {
    objects: platform.objects(registry, { ownFetch, onFailure: checkListener(parts.onFailure) }),
    async fetch(request, env, context) {
      const others = isOfSillok(request) ? undefined : (parts.fetch ?? assetsOf(env));
      if (others !== undefined) return others(request, env, context);
      if (isFor(request, READY)) {
        const asks = [stranger(env), ownFetch(env, {})] as const;
        return readiness.answer(request.method, platform.misconfiguration(env as object), asks);
      }
      return answered(request, [env, inEnv(env)], context);
    },
    connect,
  };
}

function isOfSillok({ url }: Request): boolean {
  const { pathname } = new URL(url);
  return pathname === "/v1" || pathname.startsWith("/v1/");
}

/** Whether a request is for this path. */
function isFor({ url }: Request, path: string): boolean {
  return new URL(url).pathname === path;
}

/** Answers a request by the assets of the Worker, if it has the binding `ASSETS`. */
function assetsOf(env: unknown): Parts["fetch"] {
  const { ASSETS } = env as { readonly ASSETS?: { fetch(request: Request): Promise<Response> } };
  return ASSETS && ((request) => ASSETS.fetch(request));
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
