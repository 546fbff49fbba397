import type { NewEvent, Stored } from "../store/events.js";
import {
  type ConsumedEvent,
  type ConsumerDefinition,
  type ConsumerOptions,
  defined,
  handlerFor,
  type Handlers,
  invalidConsumer,
} from "./definition.js";

/** The documents of a projection, as its handlers see them: what was put before, also by the same handler. */
export interface Documents<Document = unknown> {
  /** The document of this key, a fresh copy; `undefined` where there is none. A key has 1 to 200 bytes of UTF-8. */
  get(key: string): Stored<Document> | undefined;
  /** Keeps a document, anything that JSON can carry, of at most 1 MiB, in place of any other under this key. */
  put(key: string, document: Document): void;
  /** Removes the document of this key, if there is one. */
  delete(key: string): void;
}

/** Handlers of a projection: by the type of event, or one for all. They return nothing, and no promise either. */
export type ProjectionHandlers<E extends NewEvent = NewEvent, Document = unknown> = Handlers<
  E,
  Documents<Document>,
  void | undefined
>;

/** What a projection is defined by. */
export interface ProjectionOptions<
  E extends NewEvent = NewEvent,
  Document = unknown,
> extends ConsumerOptions {
  /** What events do to documents. With an object, only events of the types that are its keys are followed. */
  readonly on: ProjectionHandlers<E, Document>;
}

/** A projection, made by {@link projection}. */
export interface Projection<
  E extends NewEvent = NewEvent,
  Document = unknown,
> extends ConsumerDefinition {
  /** That it is a projection. */
  readonly kind: "projection";
  /** What events do to documents. */
  readonly on: ProjectionHandlers<E, Document>;
}

/**
 * Defines a projection: what events make of documents that can be asked for. Each event takes effect exactly once: the
 * documents are kept in one transaction with how far the projection has come.
 *
 * Handlers are synchronous and decide by the event and the documents alone, so that documents can be built anew at any
 * time. One that throws, or returns a promise, has failed: what it did is taken back, and the event is attempted again
 * later, as the options say. Where it fails by a {@link SillokError} that no repetition heals, such as `document_too_large`, the
 * event is given up at once.
 *
 * @param name - Under which it is kept: 1 to 200 bytes of UTF-8 without control characters.
 * @param options - What it follows, what it does, and what is done about failures.
 * @throws {@link SillokError} `invalid_consumer`, whose `field` names what is wrong; `invalid_parameter` for an option
 * that does not exist.
 *
 * @example
 * ```ts
 * import { projection } from "sillok";
 *
 * type Deposited = { type: "Deposited"; data: { amount: number } };
 *
 * const balances = projection<Deposited, number>("balances", {
 *   category: "account",
 *   on: {
 *     Deposited(event, documents) {
 *       documents.put(event.stream, (documents.get(event.stream) ?? 0) + event.data.amount);
 *     },
 *   },
 * });
 * console.log(balances.kind, balances.name, balances.types.join()); // projection balances Deposited
 * ```
 */
export function projection<E extends NewEvent = NewEvent, Document = unknown>(
  name: string,
  options: ProjectionOptions<E, Document>,
): Projection<E, Document> {
  const definition = defined(name, options);
  if ("after" in options && options.after !== undefined) {
    throw invalidConsumer(
      "after",
      "is for reactors: a projection is made of all events, from the first on",
    );
  }
  return Object.freeze({ kind: "projection", ...definition });
}

/** Lets a projection's handler do to `documents` what the event says. */
export function project(
  { on }: Pick<Projection, "on">,
  event: ConsumedEvent,
  documents: Documents,
): void {
  const handler = handlerFor(on, event.type) as (
    event: ConsumedEvent,
    documents: Documents,
  ) => unknown;
  const returned = handler(event, documents);
  if (typeof (returned as PromiseLike<unknown> | undefined)?.then !== "function") return;
  // What it rejects with is the handler's own affair now; unheard, it would end the program.
  void Promise.resolve(returned).catch(() => {});
  throw new TypeError(
    "a projection's handler must be synchronous, and this one returned a promise",
  );
}
