// Sillok's gateway and objects over an engine, with one's projections and reactors in them.

import type { AnyConsumer, Projection, Reactor } from "sillok";

import type { Engine } from "./engine.ts";
import { aggregateClass, consumerClass, journalClass } from "./objects.ts";

/** What a Worker is composed of. */
export interface Parts {
  /** Projections, each of another name. */
  readonly projections?: readonly Projection<any, any>[];
  /** Reactors, each of another name. */
  readonly reactors?: readonly Reactor<any>[];
}

/** A class of objects. Who constructs them, and calls them, is the runtime. */
export type ObjectClass = new (context: any, env: any) => object;

/** A composed Worker: it is the default export, and its objects' classes are exported by their names. */
export interface App {
  /** The classes of the objects, under the names that wrangler.toml binds. */
  readonly objects: {
    /** Each keeps one stream. */
    readonly Aggregate: ObjectClass;
    /** Each keeps one partition of the journal. */
    readonly Journal: ObjectClass;
    /** Each runs one consumer. */
    readonly Consumer: ObjectClass;
  };
  /** Answers HTTP. */
  fetch(request: Request, env: unknown, context: object): Promise<Response>;
}

/**
 * Composes a Worker.
 *
 * What is registered lives on the side of JavaScript and is the same in every object; the engine keeps nothing of it
 * between two calls. What is registered in Rust, the engine has whenever it is loaded.
 */
export function compose(engine: Engine, { projections = [], reactors = [] }: Parts): App {
  const handled = new Map<string, AnyConsumer>();
  const inRust = engine.ConsumerObject.inRust();
  for (const consumer of [...projections, ...reactors]) {
    const { name } = consumer;
    if (handled.has(name) || inRust.includes(name)) {
      throw new TypeError(`two consumers have the name ${JSON.stringify(name)}`);
    }
    handled.set(name, consumer);
  }
  const objects = {
    Aggregate: aggregateClass(engine),
    Journal: journalClass(engine, [...handled.keys()]),
    Consumer: consumerClass(engine, handled),
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
    // Rust answers every error it knows of. What is left is a crash of the engine itself, and even then the
    // caller gets a problem document and not the runtime's own page.
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
