import type { DocumentChange } from "../client/document-changes.js";
import type { DocumentIn } from "../client/documents-client.js";
import type { Named } from "../client/name-of.js";
import { nameOf } from "../client/name-of.js";
import type { KeyedDocument } from "../consumer/handles.js";
import type { Projection } from "../consumer/projection.js";
import { useClient } from "./context.js";
import { type Source, useShared } from "./shared.js";

/** Options of {@link useDocuments}. */
export interface UseDocumentsOptions {
  /** Follows only documents whose keys start with this text. Default: all documents. */
  readonly prefix?: string | undefined;
}

/** The documents that a component shows. See {@link useDocuments}. */
export interface LiveDocuments<Document = unknown> {
  /** The documents of one moment, in the order of their keys. An unchanged document is the same object as before. */
  readonly documents: readonly Readonly<KeyedDocument<Document>>[];
  /**
   * `loading` before the first documents are complete, and on the server; `live` afterwards; `failed` after an error that ends the
   * subscription. Then `documents` stay as they were.
   */
  readonly status: "loading" | "live" | "failed";
  /** The error that has ended the subscription, usually a {@link SillokError}. A lost connection is no error. */
  readonly error: unknown;
}

const INITIAL: LiveDocuments<never> = Object.freeze({
  documents: Object.freeze([]) as readonly never[],
  status: "loading",
  error: undefined,
});

/**
 * The documents of a projection below a prefix, live: the component renders again when they change. All components with the same
 * projection and prefix share one connection, which is closed when the last of them is unmounted.
 *
 * @param projection - The projection, or its name. With a name, pass the type: `useDocuments<typeof balances>("balances")`.
 * @param options - A prefix of the keys.
 * @returns The documents, the status and the error. Documents change all at once, commit by commit.
 */
export function useDocuments<Document>(
  projection: Projection<any, Document>,
  options?: UseDocumentsOptions,
): LiveDocuments<Document>;
/** The documents of the projection with this name. The type parameter is the projection, or the type of its documents. */
export function useDocuments<T = unknown>(
  projection: string,
  options?: UseDocumentsOptions,
): LiveDocuments<DocumentIn<T>>;
export function useDocuments(
  projection: Named,
  { prefix = "" }: UseDocumentsOptions = {},
): LiveDocuments {
  const client = useClient();
  const name = nameOf(projection, "projection");
  const source: Source<LiveDocuments, DocumentChange> = {
    key: JSON.stringify(["documents", name, prefix]),
    initial: INITIAL,
    follow: (signal) => client.documents(name).subscribe({ prefix, signal }),
    take: collecting,
    failed: ({ documents }, error) => ({ documents, status: "failed", error }),
  };
  return useShared(client, source);
}

/** Collects the messages. The documents are shown only when they are those of one moment. */
function collecting(): (change: DocumentChange) => LiveDocuments | undefined {
  const all = new Map<string, KeyedDocument>();
  return (change) => {
    if (change.kind === "reset") all.clear();
    else if (change.kind === "put")
      all.set(change.key, { key: change.key, document: change.document });
    else if (change.kind === "delete") all.delete(change.key);
    else {
      const documents = [...all.values()].sort((one, other) => (one.key < other.key ? -1 : 1));
      return { documents, status: "live", error: undefined };
    }
    return undefined;
  };
}
