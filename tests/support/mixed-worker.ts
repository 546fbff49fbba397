/**
 * The example in Rust, with a projection in TypeScript. `/same-name` returns the error of a composition with one name twice.
 */

import * as engine from "../../examples/delays-rust/build/index.js";
import { projection, sillok } from "../../worker/rust.ts";

const named = (name: string) =>
  projection<{ type: string }, number>(name, {
    category: "plane",
    on: ({ stream }, counts) => counts.put(stream, (counts.get(stream) ?? 0) + 1),
  });

const app = sillok(engine, { projections: [named("counts")] });

export class Aggregate extends app.objects.Aggregate {}
export class Journal extends app.objects.Journal {}
export class Consumer extends app.objects.Consumer {}

export default {
  fetch(request: Request, env: unknown, context: object): Response | Promise<Response> {
    if (new URL(request.url).pathname !== "/same-name") return app.fetch(request, env, context);
    try {
      sillok(engine, { projections: [named("delays")] });
      return new Response("composed");
    } catch (error) {
      return new Response(String(error));
    }
  },
};
