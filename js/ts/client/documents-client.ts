import type { DocumentsOptions, KeyedDocument } from "../consumer/handles.js";
import type { Projection } from "../consumer/projection.js";
import type { Stored } from "../store/events.js";
import type { DocumentChange, SubscribeDocumentsOptions } from "./document-changes.js";

/** The type of the documents: that of a projection, such as `typeof balances`, or a type that you name. */
export type DocumentIn<T> = T extends Projection<any, infer Document> ? Document : T;

/** An option of the reads of documents. */
export interface CoveredOptions {
  /**
   * An event that the documents must cover, such as the result of a command. The read waits for it, at most 5 seconds.
   * Default: none.
   */
  readonly min?: { readonly stream: string; readonly version: number } | undefined;
}

/** The documents of a projection of a deployed Sillok. See {@link Client.documents}. */
export interface DocumentsClient<Document = unknown> {
  /** The name of the projection. */
  readonly name: string;

  /**
   * Returns the document with this key, or `undefined` if there is none.
   *
   * @param key - The key of the document: 1 to 200 bytes.
   * @param options - An event that the document must cover.
   * @throws {@link SillokError} `projection_behind` when the document does not cover the event of `min` in time;
   * `consumer_not_found`, `invalid_document_key`, `invalid_parameter`, whose `field` names the option, and the errors of a
   * request as for {@link AggregateClient.execute}.
   */
  get(key: string, options?: CoveredOptions): Promise<Stored<Document> | undefined>;

  /**
   * Lists the documents in the order of the bytes of their keys. The client reads them page by page, while you take them.
   *
   * @param options - A prefix of the keys, the key to start after, a limit, and an event that the documents must cover.
   * @returns The documents, for `for await`. You can iterate over them once.
   * @throws {@link SillokError} as {@link DocumentsClient.get} does.
   */
  list(
    options?: DocumentsOptions & CoveredOptions,
  ): AsyncGenerator<KeyedDocument<Document>, void, undefined>;

  /**
   * Follows the documents: first all documents below the prefix, and then each change. After a lost connection, or 40 seconds
   * without data, the client connects again and continues after the last message, without a limit of retries.
   *
   * The subscription ends when you leave the loop, call `return`, or abort the signal. None of these is an error.
   *
   * @param options - A prefix of the keys, the checkpoint to continue after, and a signal that ends the subscription.
   * @returns The messages, for `for await`. You can iterate over them once.
   * @throws {@link SillokError} `consumer_not_found` when the server has no such projection, or it was deleted meanwhile;
   * `invalid_checkpoint`, `invalid_parameter`, and the errors of a request as for {@link AggregateClient.execute}.
   *
   * @example
   * ```ts
   * import { connect } from "sillok/client";
   * import type { App } from "sillok/worker";
   *
   * export async function follow(show: (documents: Map<string, { cents: number }>) => void): Promise<void> {
   *   const bank = connect<App>("https://sillok.example.workers.dev", { token: "your-token" });
   *   const documents = new Map<string, { cents: number }>();
   *   for await (const change of bank.documents<{ cents: number }>("balances").subscribe({ prefix: "account-" })) {
   *     if (change.kind === "reset") documents.clear();
   *     else if (change.kind === "put") documents.set(change.key, change.document);
   *     else if (change.kind === "delete") documents.delete(change.key);
   *     else show(documents);
   *   }
   * }
   * ```
   */
  subscribe(
    options?: SubscribeDocumentsOptions,
  ): AsyncGenerator<DocumentChange<Document>, void, undefined>;
}
