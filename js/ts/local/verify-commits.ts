import type { Verification } from "../store/events.js";
import { verifyLines } from "./engine.js";

/**
 * Verifies commits that were exported by {@link EventStore.exportCommits} or over HTTP. It does not need the store, so you do
 * not have to trust it. The function computes every hash again, as {@link EventStore.verify} does.
 *
 * An export cannot show that its last commits are missing, or that somebody has written the whole chain again. To detect
 * that, compare `head` and `version` with values that you stored before. They also identify the stream of the commits.
 *
 * @param lines - The lines, or the whole export as one string. The function does not read the lines after the first broken
 * one.
 * @returns The same result as {@link EventStore.verify}. A line that is no commit is `broken` too.
 * @throws {@link SillokError} `invalid_parameter` when a line is no string; and every error of `lines`.
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
