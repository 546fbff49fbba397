import type { DocumentsOptions, KeyedDocument } from "../consumer/handles.js";
import type { Stored } from "../store/events.js";

/** An option of the reads of documents. */
export interface CoveredOptions {
  /**
   * An event that the documents must cover, such as the result of a command. The read waits for it, at most 5 seconds.
   * Default: none.
   */
  readonly min?: { readonly stream: string; readonly version: number } | undefined;
}

/** A projection of a deployed Sillok. See {@link Client.projection}. */
export interface ProjectionClient<Document = unknown> {
  /** The name of the projection. */
  readonly name: string;

  /**
   * Returns the document with this key, or `undefined` if there is none.
   *
   * @throws {@link SillokError} `projection_behind` when the document does not cover the event of `min` in time;
   * `consumer_not_found`, `not_a_projection`, `invalid_document_key`, and the errors of a request.
   */
  get(key: string, options?: CoveredOptions): Promise<Stored<Document> | undefined>;

  /**
   * Lists the documents in the order of their keys.
   *
   * @throws {@link SillokError} as {@link ProjectionClient.get} does.
   */
  documents(
    options?: DocumentsOptions & CoveredOptions,
  ): AsyncGenerator<KeyedDocument<Document>, void, undefined>;
}
