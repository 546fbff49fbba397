// What a user's code says about events, in the shape in which the engine calls it.

import type { AppendOptions, ConsumedEvent, Documents, Projection, Reactor } from "sillok";

import { handlerOf as handlerFor } from "../js/ts/consumers/definition.ts";

/** A consumer that is defined in code, whatever its events. */
export type Handled = Projection<any, any> | Reactor<any>;

/** The documents of a projection, as the engine hands them out while an event is applied: as JSON. */
interface DocumentsHandle {
  get(key: string): string | undefined;
  put(key: string, document: string): void;
  delete(key: string): void;
}

/** The commands that a reactor may send on one event. */
interface Commands {
  readonly id: string;
  readonly attempt: number;
  append(stream: string, events: string, expected: unknown): Promise<any>;
}

/** What the engine calls with each event. */
export interface Handler {
  apply(event: string, handle: DocumentsHandle): void;
  react(event: string, commands: Commands): Promise<void>;
}

/** The handler of a consumer that is defined in code, and its definition as JSON. */
export function handlerOf(handled: Handled): [string, Handler] {
  const { kind, category, types, onFailure, attempts, firstDelay, longestDelay } = handled;
  const after = kind === "reactor" ? handled.after : undefined;
  const policy = { onFailure, attempts, firstDelay, longestDelay };
  const definition = { kind, after, category, types, ...policy };
  const handler = {
    apply(text: string, handle: DocumentsHandle) {
      const event = JSON.parse(text) as ConsumedEvent;
      const result = handlerFor(handled.on, event.type)(
        event as never,
        documentsOf(handle) as never,
      );
      if (isThenable(result)) throw new TypeError("a projection's handler must not be async");
    },
    async react(text: string, commands: Commands) {
      const event = JSON.parse(text) as ConsumedEvent;
      const { id, attempt } = commands;
      const append = (stream: string, events: unknown, options: AppendOptions = {}) =>
        refused(commands.append(stream, JSON.stringify(events), options.expectedVersion));
      await handlerFor(handled.on, event.type)(event as never, { id, attempt, append } as never);
    },
  };
  return [JSON.stringify(definition), handler];
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
