// A composed Worker over an engine: the wasm module of a Worker.

import type { Platform } from "./composition.ts";
import type { Engine } from "./engine.ts";
import { misconfiguration, problem } from "./configuration.ts";
import { aggregateClass, consumerClass, journalClass } from "./objects.ts";

/** The platform of a Worker with this engine. */
export function overEngine(engine: Engine): Platform {
  return {
    inRust: {
      aggregates: engine.AggregateObject.inRust(),
      consumers: engine.ConsumerObject.inRust(),
    },
    objects: (registry, { ownFetch, onFailure }) => ({
      Aggregate: aggregateClass(engine, registry, onFailure),
      Journal: journalClass(engine, registry),
      Consumer: consumerClass(engine, registry, ownFetch, onFailure),
    }),
    answer: (request, env, context) => answer(engine, request, env, context),
    misconfiguration,
    checkCalls() {},
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
    return problem(500, { code: "internal", detail });
  }
}
