// Reads an answer line by line, while the server sends it.

import { SillokError } from "../store/errors.js";
import { unavailable } from "./http.js";

/** The type of an answer with an event on each line. */
export const LINES = "application/x-ndjson";

/** Returns an answer unchanged, for a later read. */
export const asItIs = (response: Response) => response;

/** The next line, or undefined at the end, or the error that has cut the answer off. */
export async function nextLine(
  events: AsyncGenerator<string, void, undefined>,
): Promise<string | undefined | SillokError> {
  try {
    const next = await events.next();
    return next.done === true ? undefined : next.value;
  } catch (error) {
    return unavailable(error);
  }
}

/** The reader of the body of an answer. An answer without a body has an empty one. */
export function readerOf(response: Response): ReadableStreamDefaultReader<Uint8Array> {
  return (response.body ?? new Blob().stream()).getReader();
}

/** The lines of a body. Every line must be complete. The body is read no faster than the caller takes the lines. */
export async function* lines(
  reader: ReadableStreamDefaultReader<Uint8Array>,
): AsyncGenerator<string, void, undefined> {
  const decoder = new TextDecoder("utf-8", { fatal: true, ignoreBOM: false });
  let begun = "";
  try {
    for (;;) {
      const { done, value } = await reader.read();
      if (done) break;
      const [first = "", ...others] = decoder.decode(value, { stream: true }).split("\n");
      begun += first;
      for (const other of others) {
        yield begun;
        begun = other;
      }
    }
    if (begun !== "") throw new Error("the last line is incomplete");
  } finally {
    // The rest is not read, and so its errors are ignored.
    await reader.cancel().catch(() => undefined);
  }
}
