/** A minimal client of server-sent events. */

import assert from "node:assert/strict";

import { Waiting } from "./waiting.ts";

/** One message, or a comment, which has no data. */
export interface Message {
  id: string | undefined;
  data: string | undefined;
  /** The name of a message that is no event. */
  name: string | undefined;
  retry: string | undefined;
  comment: boolean;
}

/** One connection. It stores the messages, and wakes the callers that wait for them. */
export class Follower extends Waiting {
  readonly messages: Message[] = [];
  readonly response: Response;
  /** Resolves when the connection ends: with the error, or with `undefined` if it ended properly. */
  readonly ended: Promise<unknown>;
  readonly #cancel: AbortController;

  private constructor(response: Response, cancel: AbortController) {
    super();
    this.response = response;
    this.#cancel = cancel;
    this.ended = this.#read().catch((error: unknown) => error);
  }

  static async connect(url: URL, headers: Record<string, string> = {}): Promise<Follower> {
    const cancel = new AbortController();
    const response = await fetch(url, {
      headers: { Accept: "text/event-stream", ...headers },
      signal: cancel.signal,
    });
    return new Follower(response, cancel);
  }

  /** The events so far. */
  get events(): any[] {
    return this.#received().map((message) => JSON.parse(message.data ?? ""));
  }

  /** The id of the last event. */
  get lastId(): string | undefined {
    return this.#received().at(-1)?.id;
  }

  #received(): Message[] {
    return this.messages.filter(({ data, name }) => data !== undefined && name === undefined);
  }

  close(): Promise<unknown> {
    this.#cancel.abort();
    return this.ended;
  }

  async #read(): Promise<void> {
    let text = "";
    const decoder = new TextDecoder();
    for await (const chunk of this.response.body ?? []) {
      text += decoder.decode(chunk, { stream: true });
      const blocks = text.split("\n\n");
      text = blocks.pop() ?? "";
      this.messages.push(...blocks.map(parse));
      this.changed();
    }
    assert.equal(text, "", "a message was cut");
  }
}

function parse(block: string): Message {
  const [id, data, name, retry] = [undefined, undefined, undefined, undefined];
  const message: Message = { id, data, name, retry, comment: false };
  for (const line of block.split(/\r\n|\n|\r/)) {
    const [, name = "", value = ""] = /^([^:]*):? ?(.*)$/s.exec(line) ?? [];
    if (name === "") message.comment = true;
    else if (name === "data")
      message.data = message.data === undefined ? value : `${message.data}\n${value}`;
    else if (name === "event") message.name = value;
    else if (name === "id") message.id = value;
    else if (name === "retry") message.retry = value;
    else assert.fail(`an unknown field: ${line}`);
  }
  return message;
}
