import type { DocumentsOptions, KeyedDocument } from "../consumer/handles.js";
import type { Projection } from "../consumer/projection.js";
import type { Stored } from "../store/events.js";

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
}
