// An answer that is read line by line, while it is sent.

import { SillokError } from "../store/errors.js";
import { unavailable } from "./http.js";

/** The form of an answer that is an event a line. */
export const LINES = "application/x-ndjson";

/** Takes an answer as it is, to be read later. */
export const asItIs = (response: Response) => response;

/** The next line, or undefined at the end, or the error by which the answer was cut off. */
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

/** The body of an answer, also where it has none. */
export function readerOf(response: Response): ReadableStreamDefaultReader<Uint8Array> {
  return (response.body ?? new Blob().stream()).getReader();
}

/** The lines that are read, which must all be whole. They are read no faster than they are asked for. */
export async function* lines(
  reader: ReadableStreamDefaultReader<Uint8Array>,
): AsyncGenerator<string, void, undefined> {
  const decoder = new TextDecoder("utf-8", { fatal: true });
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
    if (begun !== "") throw new Error("the last line is not whole");
  } finally {
    // Of what is not read any more, nobody is told that it was cut off.
    await reader.cancel().catch(() => undefined);
  }
}
