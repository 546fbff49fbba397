// A projection of a server, over HTTP.

import { checkedAnswer, type Http } from "../remote/http.js";
import { query } from "../remote/input.js";
import type { DocumentsOptions, KeyedDocument } from "../consumer/handles.js";
import { isSillokError } from "../store/errors.js";
import type { Stored } from "../store/events.js";
import { invalid } from "../store/invalid.js";
import { PAGE_EVENTS } from "../store/limits.js";
import { checkOptions } from "../store/options.js";
import type { CoveredOptions, ProjectionClient } from "./projection-client.js";

const GET_OPTIONS = ["min"] as const satisfies (keyof CoveredOptions)[];
const LIST_OPTIONS = ["prefix", "after", "limit", "min"] as const satisfies (
  keyof DocumentsOptions | keyof CoveredOptions
)[];

/** A page of documents. */
interface DocumentsPage<Document> {
  readonly documents: KeyedDocument<Document>[];
  readonly next: string | null;
}

export class RemoteProjection<Document> implements ProjectionClient<Document> {
  readonly name: string;
  readonly #http: Http;

  constructor(http: Http, name: string) {
    if (typeof name !== "string" || name === "")
      throw invalid("name", "must be the name of a projection");
    this.#http = http;
    this.name = name;
  }

  async get(key: string, options: CoveredOptions = {}): Promise<Stored<Document> | undefined> {
    checkOptions(options, GET_OPTIONS);
    const path = `${this.#path()}/${encodeURIComponent(key)}${query({ min: eventOf(options) })}`;
    try {
      return (await this.#http.json({ method: "GET", path, status: 200 })) as Stored<Document>;
    } catch (error) {
      if (isSillokError(error) && error.code === "document_not_found") return undefined;
      throw error;
    }
  }

  async *documents(
    options: DocumentsOptions & CoveredOptions = {},
  ): AsyncGenerator<KeyedDocument<Document>, void, undefined> {
    checkOptions(options, LIST_OPTIONS);
    const { prefix, limit = Infinity } = options;
    let { after } = options;
    for (let left = limit; left > 0;) {
      const page = { prefix, after, limit: Math.min(left, PAGE_EVENTS), min: eventOf(options) };
      const path = `${this.#path()}${query(page)}`;
      const answer = await this.#http.json({ method: "GET", path, status: 200 });
      const { documents, next } = checkedAnswer<DocumentsPage<Document>>(
        answer,
        "documents",
        "object",
      );
      yield* documents;
      left -= documents.length;
      after = documents.at(-1)?.key;
      if (next === null) return;
    }
  }

  #path(): string {
    return `projections/${encodeURIComponent(this.name)}/documents`;
  }
}

function eventOf({ min }: CoveredOptions): string | undefined {
  return min === undefined ? undefined : `${min.stream}@${min.version}`;
}
