// What a user's code says about events, in the shape in which the engine calls it.

import type { Documents, FeedEvent, Projection, Reactor } from "sillok";

import type { CommandKeys, ConsumerObject, DocumentsHandle } from "./build/index.js";

/** A consumer that is defined in code. */
export type Handled = Projection | Reactor;

/** What the engine calls with each event. */
export interface Handler {
  apply(event: string, handle: DocumentsHandle): void;
  react(event: string, keys: CommandKeys): Promise<void>;
}

/** The handler of a consumer that is defined in code, and its definition as JSON. */
export function handlerOf(handled: Handled, object: ConsumerObject): [string, Handler] {
  const { kind, category, types, onFailure, attempts, firstDelay, longestDelay } = handled;
  const definition = { kind, category, types, onFailure, attempts, firstDelay, longestDelay };
  const handler = {
    apply(text: string, handle: DocumentsHandle) {
      const event = JSON.parse(text) as FeedEvent;
      const on = handlerFor(handled as Projection, event);
      if (on === undefined) return;
      const result: unknown = on(event, documentsOf(handle));
      if (isThenable(result)) throw new TypeError("a projection's handler must not be async");
    },
    async react(text: string, keys: CommandKeys) {
      const event = JSON.parse(text) as FeedEvent;
      await handlerFor(handled as Reactor, event)?.(event, {
        append: (stream, events, options = {}) =>
          object.append(keys.next(), text, stream, JSON.stringify(events), options.expectedVersion),
      });
    },
  };
  return [JSON.stringify(definition), handler];
}

/** The function that handles an event: the one for its type, or the one for all. */
function handlerFor<H extends Handled>(
  { on }: H,
  event: FeedEvent,
): Exclude<H["on"], object> | undefined {
  return typeof on === "function" ? on : Object.hasOwn(on, event.type) ? on[event.type] : undefined;
}

function documentsOf(handle: DocumentsHandle): Documents {
  return {
    get: (key) => {
      const text = handle.get(key);
      return text === undefined ? undefined : JSON.parse(text);
    },
    put: (key, document) => handle.put(key, JSON.stringify(document)),
    delete: (key) => handle.delete(key),
  };
}

function isThenable(value: unknown): boolean {
  return typeof value === "object" && value !== null && "then" in value;
}
