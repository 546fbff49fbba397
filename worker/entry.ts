/** The entry of the Worker: what the runtime calls, handed on to Rust. There is no logic here. */

import { DurableObject, WorkerEntrypoint } from "cloudflare:workers";

import Gateway, { AggregateObject } from "./build/index.js";

/** Keeps one stream. The runtime takes RPC only from a class of this kind, which Rust cannot declare. */
export class Aggregate extends DurableObject {
  readonly #object = new AggregateObject(this.ctx, this.env);

  override fetch(request: Request): Promise<Response> {
    return this.#object.fetch(request);
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

/** Answers HTTP. */
export default class extends WorkerEntrypoint {
  override async fetch(request: Request): Promise<Response> {
    try {
      return await new Gateway(this.ctx, this.env).fetch(request);
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
}
