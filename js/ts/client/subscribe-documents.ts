// Follows the documents of a projection of a server.

import { checkedAnswer, type Http, parse } from "../remote/http.js";
import { query, sentText } from "../remote/input.js";
import { messagesOf, type SseMessage } from "../remote/sse.js";
import { SillokError } from "../store/errors.js";
import { checkOptions } from "../store/options.js";
import { subscription } from "../store/subscription.js";
import type { DocumentChange, SubscribeDocumentsOptions } from "./document-changes.js";

const OPTIONS = [
  "prefix",
  "after",
  "signal",
] as const satisfies (keyof SubscribeDocumentsOptions)[];

/** Yields all documents at `path`, and then each change. After a lost connection it continues after the last message. */
export function subscribeDocuments<Document>(
  http: Http,
  path: string,
  options: SubscribeDocumentsOptions,
): AsyncGenerator<DocumentChange<Document>, void, undefined> {
  const follow = ({ prefix, after: begin }: Wanted, stop: AbortSignal) => {
    let after = begin;
    const request = () => ({ path: path + query({ prefix, after }) });
    const take = ({ id, data }: SseMessage) => {
      // A message without data also has the progress of the server.
      if (id !== "") after = id;
      return data === ""
        ? undefined
        : checkedAnswer<DocumentChange<Document>>(parse(data), "checkpoint", "string");
    };
    return messagesOf(http, request, take, stop);
  };
  return subscription(options, wanted, follow);
}

type Wanted = Pick<SubscribeDocumentsOptions, "prefix" | "after">;

function wanted(options: SubscribeDocumentsOptions): Wanted {
  checkOptions(options, OPTIONS);
  const { after } = options;
  if (after !== undefined && (typeof after !== "string" || after === "" || !after.isWellFormed())) {
    const detail = "`after` must be the checkpoint of a message, which is a string";
    throw new SillokError({ code: "invalid_checkpoint", detail, field: "after" });
  }
  return { prefix: sentText("prefix", options.prefix), after };
}
