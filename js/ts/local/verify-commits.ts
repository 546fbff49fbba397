import type { Verification } from "../store/events.js";
import { verifyLines } from "./engine.js";

/**
 * Proves commits that were exported by {@link EventStore.exportCommits}, or over HTTP, without the store that they come
 * from: what it says of them need not be trusted. It computes every hash anew, as {@link EventStore.verify} does.
 *
 * What was exported cannot show that its last commits are missing, nor that somebody wrote the whole chain anew: compare
 * `head` and `version` with what you noted before. They also tell of which stream the commits are.
 *
 * @param lines - The lines, or the whole export as one text. Lines behind the first that is broken are not asked for.
 * @returns What {@link EventStore.verify} returns; what cannot be read as a commit is `broken` too.
 * @throws {@link SillokError} `invalid_parameter` when a line is no string; and what `lines` throws.
 *
 * @example
 * ```ts
 * import { EventStore, verifyCommits } from "sillok";
 *
 * const store = new EventStore();
 * await store.append("account-42", { type: "Deposited", data: { amount: 100 } });
 * const lines: string[] = [];
 * for await (const line of store.exportCommits("account-42")) lines.push(line);
 *
 * console.log((await verifyCommits(lines)).intact); // true
 * const forged = lines.map((line) => line.replace("100", "900"));
 * console.log((await verifyCommits(forged)).intact); // false
 * ```
 */
export function verifyCommits(
  lines: string | Iterable<string> | AsyncIterable<string>,
): Promise<Verification> {
  return verifyLines(typeof lines === "string" ? lines.split("\n") : lines);
}
