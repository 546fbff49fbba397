// The timers and the sent commands of a stream on a server.

import { isSillokError, type Rejection } from "../store/errors.js";
import { invalid } from "../store/invalid.js";
import { checkPendingKey, type PendingKind, rejectionText } from "../store/pending.js";
import { checkedAnswer, type Http, type HttpRequest } from "./http.js";
import { query, streamPath } from "./input.js";

/** For each kind: the field of a key in errors, and the code of the error if there is no such one. */
const KINDS = {
  timers: ["key", "timer_not_found"],
  sent: ["id", "sent_command_not_found"],
} as const;

/** Lists the timers or the sent commands, page by page. The URL in the field `next` has the key to start after. */
export async function* remotePending<Item>(
  http: Http,
  stream: string,
  kind: PendingKind,
): AsyncGenerator<Item, void, undefined> {
  const path = `${streamPath(stream)}/${kind}`;
  for (let after: string | undefined; ;) {
    const answer = await http.json({ method: "GET", path: path + query({ after }), status: 200 });
    const page = checkedAnswer<Record<PendingKind, Item[]> & { next?: unknown }>(
      answer,
      kind,
      "object",
    );
    yield* page[kind];
    if (typeof page.next !== "string") return;
    after = new URL(page.next, "http://sillok").searchParams.get("after") ?? undefined;
    if (after === undefined) return;
  }
}

/** Removes a timer or a sent command. Returns whether there was one. */
export function cancelRemote(
  http: Http,
  stream: string,
  kind: PendingKind,
  key: string,
): Promise<boolean> {
  return found(kind, () => http.send(act("DELETE", stream, kind, key), () => undefined));
}

/** Attempts a parked timer or sent command again. Returns whether there was one. */
export function retryRemote(
  http: Http,
  stream: string,
  kind: PendingKind,
  key: string,
): Promise<boolean> {
  return found(kind, () => http.send(act("POST", stream, kind, key, "/retry"), () => undefined));
}

/** Answers a parked sent command in place of its receiver. Returns whether there was one. */
export function rejectRemote(
  http: Http,
  stream: string,
  id: string,
  rejection: Rejection,
): Promise<boolean> {
  const request = {
    ...act("POST", stream, "sent", id, "/reject"),
    body: rejectionText(rejection),
  };
  return found("sent", () => http.send(request, () => undefined));
}

function act(
  method: "DELETE" | "POST",
  stream: string,
  kind: PendingKind,
  key: string,
  end = "",
): HttpRequest {
  checkPendingKey(kind, key);
  const [field] = KINDS[kind];
  if (key === "." || key === "..") throw invalid(field, "cannot be sent over HTTP as this name");
  const path = `${streamPath(stream)}/${kind}/${encodeURIComponent(key)}${end}`;
  return { method, path, status: 204 };
}

async function found(kind: PendingKind, request: () => Promise<unknown>): Promise<boolean> {
  try {
    await request();
    return true;
  } catch (error) {
    if (isSillokError(error) && error.code === KINDS[kind][1]) return false;
    throw error;
  }
}
