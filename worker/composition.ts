/** A Worker of one's own: Sillok's gateway and objects, with one's projections and reactors in them. */

import type { Projection, Reactor } from "sillok";

import Gateway from "./build/index.js";
import type { Handled } from "./handlers.ts";
import { Aggregate, consumerClass, journalClass } from "./objects.ts";

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
 * between two calls.
 *
 * @throws TypeError when two consumers have the same name.
 *
 * @example
 * ```ts
 * import { projection, sillok } from "sillok/worker";
 *
 * type Deposited = { type: "Deposited"; data: { amount: number } };
 *
 * const balances = projection<Deposited, { amount: number }>("balances", {
 *   category: "account",
 *   on: {
 *     Deposited(event, documents) {
 *       const { amount } = documents.get(event.stream) ?? { amount: 0 };
 *       documents.put(event.stream, { amount: amount + event.data.amount });
 *     },
 *   },
 * });
 * const app = sillok({ projections: [balances] });
 * export const { Aggregate, Journal, Consumer } = app.objects;
 * export default app;
 * ```
 */
export function sillok({ projections = [], reactors = [] }: Parts = {}): App {
  const handled = new Map<string, Handled>();
  for (const consumer of [...projections, ...reactors]) {
    if (handled.has(consumer.name)) {
      throw new TypeError(`two consumers have the name ${JSON.stringify(consumer.name)}`);
    }
    handled.set(consumer.name, consumer);
  }
  const [Journal, Consumer] = [journalClass([...handled.keys()]), consumerClass(handled)];
  return { objects: { Aggregate, Journal, Consumer }, fetch: answer };
}

async function answer(request: Request, env: unknown, context: object): Promise<Response> {
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
