/** Common helpers of the tests of the HTTP API. */

import assert from "node:assert/strict";
import { randomUUID } from "node:crypto";
import { after, afterEach, before, beforeEach } from "node:test";

import { type Server, type ServerOptions, startServer } from "./server.ts";

/** A response with its whole body. */
export interface Reply {
  status: number;
  headers: Headers;
  text: string;
  /** The body as JSON. A test that reads an absent member fails. */
  json: any;
}

export type HeaderValues = Record<string, string>;

/** One server for the tests of a file. */
export class Api {
  #server: Server | undefined;

  get server(): Server {
    assert(this.#server, "the server runs only within tests");
    return this.#server;
  }

  async start(options?: ServerOptions): Promise<void> {
    this.#server = await startServer(options);
  }

  async stop(): Promise<void> {
    await this.#server?.stop();
  }

  async request(path: string, init: RequestInit = {}): Promise<Reply> {
    const response = await fetch(new URL(path, this.server.url), init);
    const text = await response.text();
    const isJson = /[/+]json\b/.test(response.headers.get("content-type") ?? "") && text !== "";
    return {
      status: response.status,
      headers: response.headers,
      text,
      json: isJson ? JSON.parse(text) : undefined,
    };
  }

  /** Appends JSON text, or a value that it converts to JSON. */
  append(stream: string, events: unknown, headers: HeaderValues = {}): Promise<Reply> {
    const body = typeof events === "string" ? events : JSON.stringify(events);
    return this.request(eventsPath(stream), { method: "POST", body, headers });
  }

  /** Sends a command: a value that it converts to JSON, or JSON text. */
  execute(
    stream: string,
    command: unknown,
    headers: HeaderValues = {},
    query = "",
  ): Promise<Reply> {
    const body = typeof command === "string" ? command : JSON.stringify(command);
    const path = `${streamPath(stream)}/commands${query}`;
    return this.request(path, { method: "POST", body, headers });
  }

  /** Asserts that a command is accepted, and returns its outcome. */
  async executed(stream: string, command: unknown, headers: HeaderValues = {}): Promise<any> {
    const reply = await this.execute(stream, command, headers);
    assert.equal(reply.status, 200, reply.text);
    return reply.json;
  }

  /** The state of an aggregate. */
  state(stream: string, query = "", headers: HeaderValues = {}): Promise<Reply> {
    return this.request(`${streamPath(stream)}/state${query}`, { headers });
  }

  read(stream: string, query = "", headers: HeaderValues = {}): Promise<Reply> {
    return this.request(`${eventsPath(stream)}${query}`, { headers });
  }

  /** Asserts that an append succeeds, and returns the new version of the stream. */
  async appended(stream: string, events: unknown, headers: HeaderValues = {}): Promise<number> {
    const reply = await this.append(stream, events, headers);
    assert.equal(reply.status, 201, reply.text);
    return reply.json.version;
  }

  async version(stream: string): Promise<number> {
    const reply = await this.read(stream, "?limit=1");
    assert.equal(reply.status, 200, reply.text);
    return reply.json.version;
  }
}

/** Starts a server before the tests of this file, prepares it, and stops it after them. */
export function useApi(options?: ServerOptions, prepare?: (api: Api) => Promise<void>): Api {
  const api = new Api();
  before(async () => {
    await api.start(options);
    await prepare?.(api);
  });
  after(() => api.stop());
  return api;
}

/** Starts a server before each test of this file, without data, and stops it after it. */
export function useApiForEach(options?: ServerOptions): Api {
  const api = new Api();
  beforeEach(() => api.start(options));
  afterEach(() => api.stop());
  return api;
}

export function streamPath(stream: string): string {
  return `/v1/streams/${encodeURIComponent(stream)}`;
}

export function eventsPath(stream: string): string {
  return `${streamPath(stream)}/events`;
}

/** The price of a reply. */
export function priceOf(reply: Reply): { written: number; read: number } {
  const [written, read] = ["sillok-rows-written", "sillok-rows-read"].map((name) => {
    const text = reply.headers.get(name) ?? "";
    assert.match(text, /^\d+$/, `${name}: ${text}`);
    return Number(text);
  });
  return { written: written ?? NaN, read: read ?? NaN };
}

/** The name of a stream that no other test uses. */
export function freshStream(category = "account"): string {
  return `${category}-${randomUUID()}`;
}

/** Events with consecutive numbers. */
export function numbered(count: number, from = 1): { type: string; data: { n: number } }[] {
  return Array.from({ length: count }, (_, place) => ({
    type: "Counted",
    data: { n: from + place },
  }));
}

/** Asserts that the reply is a problem document with this status and code, and returns it. */
export function assertProblem(reply: Reply, status: number, code: string, field?: string): any {
  assert.equal(reply.headers.get("content-type"), "application/problem+json", reply.text);
  assert.equal(reply.json.code, code, reply.text);
  assert.equal(reply.status, status, reply.text);
  assert.equal(reply.json.status, status);
  assert.equal(reply.json.type, "about:blank");
  assert.equal(reply.json.field, field, reply.text);
  assert(reply.json.title.length > 0 && reply.json.detail.length > 0, reply.text);
  assert.equal(reply.headers.get("cache-control"), "no-store, no-transform");
  return reply.json;
}
