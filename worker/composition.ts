// Composes a Worker: Sillok's HTTP interface and objects over an engine, with the user's projections and reactors.

import type { Projection, Reactor } from "sillok";

import type { Engine } from "./engine.ts";
import { aggregateClass, consumerClass, journalClass } from "./objects.ts";
import { registryOf } from "./registry.ts";

/** The parts of a Worker. */
export interface Parts {
  /** Projections. No two consumers have the same name. */
  readonly projections?: readonly Projection<any, any>[];
  /** Reactors. No two consumers have the same name. */
  readonly reactors?: readonly Reactor<any>[];
}

/** A class of objects. The runtime constructs the objects and calls them. */
export type ObjectClass = new (context: any, env: any) => object;

/** A composed Worker. Export it as the default, and export the classes of its objects under their names. */
export interface App {
  /** The classes of the objects, under the names in wrangler.toml. */
  readonly objects: {
    /** Each object stores one stream. */
    readonly Aggregate: ObjectClass;
    /** Each object stores one partition of the journal. */
    readonly Journal: ObjectClass;
    /** Each object runs one consumer. */
    readonly Consumer: ObjectClass;
  };
  /** Answers an HTTP request. */
  fetch(request: Request, env: unknown, context: object): Promise<Response>;
}

/**
 * Composes a Worker.
 *
 * JavaScript holds the definitions that TypeScript code registers, and every object has the same ones: the engine stores
 * none of them between two calls. The engine has the definitions in Rust whenever it is loaded.
 */
export function compose(engine: Engine, { projections = [], reactors = [] }: Parts): App {
  const registry = registryOf([...projections, ...reactors], engine.ConsumerObject.inRust());
  const objects = {
    Aggregate: aggregateClass(engine),
    Journal: journalClass(engine, registry),
    Consumer: consumerClass(engine, registry),
  };
  return { objects, fetch: (request, env, context) => answer(engine, request, env, context) };
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
