// What a user's code says about events, in the shape in which the engine calls it.

import type { Documents, ConsumedEvent, Projection, Reactor } from "sillok";

import type { Commands, DocumentsHandle } from "./build/index.js";

/** A consumer that is defined in code. */
export type Handled = Projection | Reactor;

/** What the engine calls with each event. */
export interface Handler {
  apply(event: string, handle: DocumentsHandle): void;
  react(event: string, commands: Commands): Promise<void>;
}

/** The handler of a consumer that is defined in code, and its definition as JSON. */
export function handlerOf(handled: Handled): [string, Handler] {
  const { kind, category, types, onFailure, attempts, firstDelay, longestDelay } = handled;
  const definition = { kind, category, types, onFailure, attempts, firstDelay, longestDelay };
  const handler = {
    apply(text: string, handle: DocumentsHandle) {
      const event = JSON.parse(text) as ConsumedEvent;
      const on = handlerFor(handled as Projection, event);
      if (on === undefined) return;
      const result: unknown = on(event, documentsOf(handle));
      if (isThenable(result)) throw new TypeError("a projection's handler must not be async");
    },
    async react(text: string, commands: Commands) {
      const event = JSON.parse(text) as ConsumedEvent;
      await handlerFor(handled as Reactor, event)?.(event, {
        id: commands.id,
        attempt: commands.attempt,
        append: (stream, events, options = {}) =>
          refused(commands.append(stream, JSON.stringify(events), options.expectedVersion)),
      });
    },
  };
  return [JSON.stringify(definition), handler];
}

/** The function that handles an event: the one for its type, or the one for all. */
function handlerFor<H extends Handled>(
  { on }: H,
  event: ConsumedEvent,
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

/** What a command promises; a refusal as an error that has the refusal's code. */
async function refused<T>(command: Promise<T>): Promise<T> {
  try {
    return await command;
  } catch (failure) {
    const { detail } = failure as { detail?: string };
    throw Object.assign(new Error(detail), failure);
  }
}
