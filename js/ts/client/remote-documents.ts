// The documents of a projection of a server, over HTTP.

import { checkedKey } from "../consumer/document-key.js";
import type { DocumentsOptions, KeyedDocument } from "../consumer/handles.js";
import { checkedAnswer, type Http } from "../remote/http.js";
import { query, sentText } from "../remote/input.js";
import type { Stored } from "../store/events.js";
import { isSillokError, SillokError } from "../store/errors.js";
import { PAGE_EVENTS } from "../store/limits.js";
import { checkOptions } from "../store/options.js";
import { wantedLimit } from "../store/wanted.js";
import type { DocumentChange, SubscribeDocumentsOptions } from "./document-changes.js";
import type { CoveredOptions, DocumentsClient } from "./documents-client.js";
import { type Named, nameOf } from "./name-of.js";
import { subscribeDocuments } from "./subscribe-documents.js";

const GET_OPTIONS = ["min"] as const satisfies (keyof CoveredOptions)[];
const LIST_OPTIONS = ["prefix", "after", "limit", "min"] as const satisfies (
  keyof DocumentsOptions | keyof CoveredOptions
)[];

/** A page of documents. */
interface DocumentsPage<Document> {
  readonly documents: KeyedDocument<Document>[];
  readonly next: string | null;
}

export class RemoteDocuments<Document> implements DocumentsClient<Document> {
  readonly name: string;
  readonly #http: Http;
  readonly #path: string;

  constructor(http: Http, projection: Named) {
    this.#http = http;
    this.name = nameOf(projection, "projection");
    this.#path = `projections/${encodeURIComponent(this.name)}/documents`;
  }

  async get(key: string, options: CoveredOptions = {}): Promise<Stored<Document> | undefined> {
    checkOptions(options, GET_OPTIONS);
    const path = `${this.#path}/${segmentOf(key)}${query({ min: eventOf(options) })}`;
    try {
      return (await this.#http.json({ method: "GET", path, status: 200 })) as Stored<Document>;
    } catch (error) {
      if (isSillokError(error) && error.code === "document_not_found") return undefined;
      throw error;
    }
  }

  async *list(
    options: DocumentsOptions & CoveredOptions = {},
  ): AsyncGenerator<KeyedDocument<Document>, void, undefined> {
    checkOptions(options, LIST_OPTIONS);
    const prefix = sentText("prefix", options.prefix);
    let after = sentText("after", options.after);
    for (let left = wantedLimit(options.limit); left > 0;) {
      const page = { prefix, after, limit: Math.min(left, PAGE_EVENTS), min: eventOf(options) };
      const path = `${this.#path}${query(page)}`;
      const answer = await this.#http.json({ method: "GET", path, status: 200 });
      const { documents, next } = checkedAnswer<DocumentsPage<Document>>(
        answer,
        "documents",
        "object",
      );
      yield* documents;
      if (next === null) return;
      left -= documents.length;
      // The last key of a page may be that of a document that was deleted meanwhile: the server names it.
      after = new URL(next, "http://sillok").searchParams.get("after") ?? undefined;
      if (after === undefined) return;
    }
  }

  subscribe(
    options: SubscribeDocumentsOptions = {},
  ): AsyncGenerator<DocumentChange<Document>, void, undefined> {
    return subscribeDocuments(this.#http, this.#path, options);
  }
}

/** The key of a document in a path. */
function segmentOf(key: string): string {
  const segment = encodeURIComponent(checkedKey(key));
  if (segment !== "" && segment !== "." && segment !== "..") return segment;
  const detail = "the document's `key` cannot be sent over HTTP as this name";
  throw new SillokError({ code: "invalid_document_key", detail, field: "key" });
}

function eventOf({ min }: CoveredOptions): string | undefined {
  return min === undefined ? undefined : `${min.stream}@${min.version}`;
}
