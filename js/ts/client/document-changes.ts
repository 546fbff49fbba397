import type { Stored } from "../store/events.js";
import type { Signal } from "../store/options.js";

/**
 * A message of a subscription to documents.
 *
 * - `reset`: forget all documents. They follow again. It is the first message of a subscription without `after`. It comes again when
 *   the projection was rebuilt, or when the server does not know any more what has changed since the checkpoint.
 * - `put`: the document with this key exists, or has changed.
 * - `delete`: there is no document with this key any more.
 * - `caught-up`: the messages so far make exactly the documents of one moment. Show them now. It comes after the existing documents,
 *   and again after the changes of each commit of the projection.
 *
 * Each message has a `checkpoint`, an opaque text. A later subscription with this `after` and the same prefix continues after the message.
 */
export type DocumentChange<Document = unknown> =
  | { readonly kind: "reset"; readonly checkpoint: string }
  | {
      readonly kind: "put";
      readonly key: string;
      readonly document: Stored<Document>;
      readonly checkpoint: string;
    }
  | { readonly kind: "delete"; readonly key: string; readonly checkpoint: string }
  | { readonly kind: "caught-up"; readonly checkpoint: string };

/** Options of {@link DocumentsClient.subscribe}. */
export interface SubscribeDocumentsOptions {
  /** Follows only documents whose keys start with this text. Default: all documents. */
  readonly prefix?: string | undefined;
  /** The `checkpoint` of the message to continue after. Default: none. The subscription then begins with all documents. */
  readonly after?: string | undefined;
  /** Ends the subscription when you abort it. */
  readonly signal?: Signal | undefined;
}
