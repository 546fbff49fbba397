// The documents of a projection while it handles an event. The engine has them as JSON.

import { SillokError } from "../store/errors.js";
import { writeJson } from "../store/json.js";
import { raising } from "../store/raising.js";
import { checkedKey } from "./document-key.js";
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
