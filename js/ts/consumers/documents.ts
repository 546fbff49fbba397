// The documents of a projection while an event is applied, over those of an engine, which has them as JSON.

import { SillokError } from "../errors.js";
import { writeJson } from "../json.js";
import { raising } from "../raising.js";
import type { Documents } from "./projection.js";

/** Documents as an engine hands them out. */
export interface DocumentsJson {
  get(key: string): string | undefined;
  put(key: string, document: string): void;
  delete(key: string): void;
}

/** The documents as a handler sees them. */
export function documentsOf(json: DocumentsJson): Documents {
  return {
    get(key) {
      const document = raising(() => json.get(checkedKey(key)));
      return document === undefined ? undefined : JSON.parse(document);
    },
    put(key, document) {
      const { text } = writeJson(document, "document");
      raising(() => json.put(checkedKey(key), text));
    },
    delete: (key) => raising(() => json.delete(checkedKey(key))),
  };
}

/** A key as the engine takes it: what is no text would be made one there without a word. */
export function checkedKey(key: unknown): string {
  if (typeof key === "string" && key.isWellFormed()) return key;
  const detail = "the document's key must be a text of 1 to 200 bytes of UTF-8";
  throw new SillokError({ code: "invalid_document_key", detail, field: "key" });
}
