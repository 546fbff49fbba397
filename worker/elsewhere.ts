// A composed Worker outside of the Workers runtime: it checks its definitions, and has no engine.

import { SillokError } from "../js/ts/store/errors.ts";
import type { ObjectClass } from "./app.ts";
import type { Platform } from "./composition.ts";

/** The platform of a program that imports a Worker, such as a test in Node. */
export const ELSEWHERE: Platform = {
  inRust: { aggregates: [], consumers: [] },
  objects: () => ({
    Aggregate: notHere("Aggregate"),
    Journal: notHere("Journal"),
    Consumer: notHere("Consumer"),
  }),
  misconfiguration: () => undefined,
  answer: () => Promise.reject(unsupported("app.fetch")),
  checkCalls() {
    throw unsupported("app.connect");
  },
};

function notHere(name: string): ObjectClass {
  return class {
    declare readonly __DURABLE_OBJECT_BRAND: never;

    constructor() {
      throw unsupported(`an object of the class ${name}`);
    }
  };
}

function unsupported(what: string): SillokError {
  const where = "run the Worker in workerd: wrangler dev, Miniflare or @cloudflare/vitest-plugin";
  const instead = "memoryApp of sillok/testing runs the same definitions in memory";
  const detail = `${what} needs the Workers runtime. ${where}; ${instead}`;
  return new SillokError({ code: "unsupported_platform", detail });
}
