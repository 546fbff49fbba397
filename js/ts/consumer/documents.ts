// The documents of a projection while it handles an event. The engine has them as JSON.

import { SillokError } from "../store/errors.js";
import { writeJson } from "../store/json.js";
import { DOCUMENT_KEY_BYTES } from "../store/limits.js";
import { raising } from "../store/raising.js";
import type { Documents } from "./projection.js";
import { checkStack } from "./stack.js";

/** The documents of the engine. */
export interface DocumentsJson {
  get(key: string): string | undefined;
  put(key: string, document: string): void;
  delete(key: string): void;
}

/** Calls `handle` with the documents of a handler. The handler may use them until it returns. */
export function projectOnto(json: DocumentsJson, handle: (documents: Documents) => void): void {
  let isOver = false;
  const asked = <T>(ask: () => T): T => {
    if (!isOver) {
      checkStack();
      return raising(ask);
    }
    const detail = "a projection's handler must not use its documents after it has returned";
    throw new SillokError({ code: "documents_over", detail });
  };
  try {
    handle({
      get(key) {
        const document = asked(() => json.get(checkedKey(key)));
        return document === undefined ? undefined : JSON.parse(document);
      },
      put(key, document) {
        asked(() => json.put(checkedKey(key), writeJson(document, "document").text));
      },
      delete: (key) => asked(() => json.delete(checkedKey(key))),
    });
  } finally {
    isOver = true;
  }
}

/** Checks the key of a document. Without this check, the engine would convert any value to a string in silence. */
export function checkedKey(key: unknown): string {
  if (typeof key === "string" && key.isWellFormed()) return key;
  const detail = `the document's key must be a string of 1 to ${DOCUMENT_KEY_BYTES} bytes of UTF-8`;
  throw new SillokError({ code: "invalid_document_key", detail, field: "key" });
}
