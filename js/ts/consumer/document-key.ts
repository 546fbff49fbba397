import { SillokError } from "../store/errors.js";
import { DOCUMENT_KEY_BYTES } from "../store/limits.js";

/** Checks the key of a document. Without this check, the engine would convert any value to a string in silence. */
export function checkedKey(key: unknown): string {
  if (typeof key === "string" && key.isWellFormed()) return key;
  const detail = `the document's key must be a string of 1 to ${DOCUMENT_KEY_BYTES} bytes of UTF-8`;
  throw new SillokError({ code: "invalid_document_key", detail, field: "key" });
}
