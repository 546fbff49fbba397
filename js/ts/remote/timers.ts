// The timers of a stream on a server.

import { isSillokError } from "../store/errors.js";
import { invalid } from "../store/invalid.js";
import { checkTimerKey, type Timer } from "../store/timers.js";
import { checkedAnswer, type Http } from "./http.js";
import { query, streamPath } from "./input.js";

/** Lists the timers, page by page. The URL in the field `next` has the key to start after. */
export async function* remoteTimers(
  http: Http,
  stream: string,
): AsyncGenerator<Timer, void, undefined> {
  const path = `${streamPath(stream)}/timers`;
  for (let after: string | undefined; ;) {
    const answer = await http.json({ method: "GET", path: path + query({ after }), status: 200 });
    const page = checkedAnswer<{ timers: Timer[]; next?: unknown }>(answer, "timers", "object");
    yield* page.timers;
    if (typeof page.next !== "string") return;
    after = new URL(page.next, "http://sillok").searchParams.get("after") ?? undefined;
    if (after === undefined) return;
  }
}

/** Cancels a timer. Returns whether there was one. */
export async function cancelRemoteTimer(http: Http, stream: string, key: string): Promise<boolean> {
  checkTimerKey(key);
  if (key === "." || key === "..") throw invalid("key", "cannot be sent over HTTP as this name");
  const path = `${streamPath(stream)}/timers/${encodeURIComponent(key)}`;
  try {
    await http.send({ method: "DELETE", path, status: 204 }, () => undefined);
    return true;
  } catch (error) {
    if (isSillokError(error) && error.code === "timer_not_found") return false;
    throw error;
  }
}
