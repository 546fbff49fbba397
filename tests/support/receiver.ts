/** A webhook's receiver: a real HTTP server that answers as the test wants, and stores its requests. */

import { once } from "node:events";
import { createServer, type IncomingMessage, type ServerResponse } from "node:http";
import type { AddressInfo } from "node:net";
import { after, before } from "node:test";

import { Waiting } from "./waiting.ts";

/** A request of the receiver. */
export interface Received {
  headers: Record<string, string>;
  body: string;
  /** The body as JSON: a CloudEvent. */
  event: any;
  status: number;
}

/**
 * The answer: a status, perhaps with the time of the next attempt; no answer; or a connection that breaks after the message.
 */
export type Answer = number | { status: number; retryAfter: string } | "hang" | "drop";

/** Starts a receiver before the tests of this file, and stops it after them. */
export function useReceiver(): Receiver {
  const receiver = new Receiver();
  before(() => receiver.start());
  after(() => receiver.stop());
  return receiver;
}

export class Receiver extends Waiting {
  readonly received: Received[] = [];
  /** Chooses the answer to a message, and its time. `earlier` is the number of earlier messages. */
  answer: (event: any, earlier: number) => Answer | Promise<Answer> = () => 204;
  readonly #server = createServer((request, response) => void this.#take(request, response));

  async start(): Promise<void> {
    this.#server.listen(0, "127.0.0.1");
    await once(this.#server, "listening");
  }

  get url(): string {
    return `http://127.0.0.1:${(this.#server.address() as AddressInfo).port}/hook`;
  }

  /** The requests that were answered with success. */
  get taken(): Received[] {
    return this.received.filter(({ status }) => status < 300);
  }

  async stop(): Promise<void> {
    this.#server.closeAllConnections();
    this.#server.close();
    await once(this.#server, "close");
  }

  async #take(request: IncomingMessage, response: ServerResponse): Promise<void> {
    const chunks: Buffer[] = [];
    for await (const chunk of request) chunks.push(chunk as Buffer);
    const body = Buffer.concat(chunks).toString();
    const event = JSON.parse(body);
    const answer = await this.answer(event, this.received.length);
    const status = statusOf(answer);
    const headers = request.headers as Record<string, string>;
    this.received.push({ headers, body, event, status });
    if (answer === "drop") {
      request.socket.destroy();
    } else if (answer !== "hang") {
      if (status >= 300 && status < 400) response.setHeader("Location", "/elsewhere");
      if (typeof answer === "object") response.setHeader("Retry-After", answer.retryAfter);
      response.writeHead(status).end("what nobody reads");
    }
    this.changed();
  }
}

function statusOf(answer: Answer): number {
  if (typeof answer === "object") return answer.status;
  if (typeof answer === "number") return answer;
  return answer === "drop" ? 200 : Infinity;
}
