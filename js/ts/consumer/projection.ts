import { newest } from "../aggregate/events.js";
import type { NewEvent, Stored } from "../store/events.js";
import { PROJECTION_VERSION } from "../store/limits.js";
import {
  checkNumber,
  type ConsumedEvent,
  type ConsumerDefinition,
  type ConsumerOptions,
  defined,
  handlerFor,
  type Handlers,
  invalidConsumer,
} from "./definition.js";

/** The documents of a projection for its handlers. A handler also sees its own changes. */
export interface Documents<Document = unknown> {
  /** Returns a new copy of the document with this key, or `undefined` if there is none. A key has 1 to 200 bytes of UTF-8. */
  get(key: string): Stored<Document> | undefined;
  /** Stores a document under this key, in place of the old one: any value that JSON can represent, of at most 1 MiB. */
  put(key: string, document: Document): void;
  /** Deletes the document with this key, if there is one. */
  delete(key: string): void;
}

/** Handlers of a projection: by event type, or one handler for all events. They must not return a promise. */
export type ProjectionHandlers<E extends NewEvent = NewEvent, Document = unknown> = Handlers<
  E,
  Documents<Document>,
  void | undefined
>;

/** Options of {@link projection}. */
export interface ProjectionOptions<
  E extends NewEvent = NewEvent,
  Document = unknown,
> extends ConsumerOptions<E> {
  /** The handlers, which change the documents. With an object, the projection follows only events of the types in its keys. */
  readonly on: ProjectionHandlers<E, Document>;
  /**
   * The version of the handlers: 1 to 4,294,967,295. Default: 1. If you change what the documents contain, also change the
   * version: the projection then makes all documents again from the first event, beside the present ones. You read the
   * present ones until the new ones have caught up. A lower version does the same, so a rollback needs nothing else.
   */
  readonly version?: number | undefined;
}

/** A projection, made by {@link projection}. */
export interface Projection<
  E extends NewEvent = NewEvent,
  Document = unknown,
> extends ConsumerDefinition {
  /** The kind of the consumer. */
  readonly kind: "projection";
  /** The version of the handlers. */
  readonly version: number;
  /** The handlers. */
  readonly on: ProjectionHandlers<E, Document>;
}

/**
 * Defines a projection. A projection makes documents from events, and you can read the documents. Each event takes effect
 * exactly once: the store writes the documents in one transaction with the checkpoint of the projection.
 *
 * A handler is synchronous. It uses only the event and the documents, so that a rebuild makes the same documents again. A
 * handler fails if it throws or returns a promise. The store then undoes its changes, and the consumer retries the event
 * later, by its options. If a retry cannot help, as for the {@link SillokError} `document_too_large`, the consumer gives the
 * event up without a retry.
 *
 * @param name - The name of the consumer: 1 to 200 bytes of UTF-8 without control characters.
 * @param options - The category, the handlers, and the policy for failures.
 * @throws {@link SillokError} `invalid_consumer`, whose `field` names the wrong part; `invalid_parameter` for an unknown
 * option.
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
  const definition = defined(name, options, ["after", "version"]);
  if ("after" in options && options.after !== undefined) {
    throw invalidConsumer(
      "after",
      "must be left out: a projection starts with the first event. Only a reactor can start later",
    );
  }
  const { version = 1 } = options;
  checkNumber(version, "version", 1, PROJECTION_VERSION);
  return Object.freeze({ kind: "projection", version, ...definition });
}

/** Calls a projection's handler with an event and the documents. */
export function project(
  { on, events }: Pick<Projection, "on" | "events">,
  event: ConsumedEvent,
  documents: Documents,
): void {
  const handler = handlerFor(on, event.type) as (
    event: ConsumedEvent,
    documents: Documents,
  ) => unknown;
  const returned = handler(newest(events, event), documents);
  if (typeof (returned as PromiseLike<unknown> | undefined)?.then !== "function") return;
  // A rejection of this promise is ignored. An unhandled one would end the program.
  void Promise.resolve(returned).catch(() => {});
  throw new TypeError(
    "a projection's handler must be synchronous, but this one has returned a promise",
  );
}
