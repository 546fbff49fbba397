// Stores on a server, in place of stores in memory.

import type {
  AppendedEvents,
  AppendOptions,
  ConnectOptions,
  FeedEvent,
  LocalAppendResult,
  NewEvent,
  ReadOptions,
} from "sillok";
import { type Server, startServer } from "../support/server.ts";
import { secondsFromNow, sign } from "../support/token.ts";
import type { Sillok } from "./behaviour.ts";

export const SECRET = "a secret of 32 bytes, or of more";

let tenants = 0;

/** A token for a name space that no other test uses. */
export function freshToken(claims: object = {}): string {
  const tenant = `tenant-${(tenants += 1)}`;
  return sign({ scope: "admin", tenant, exp: secondsFromNow(3600), ...claims }, SECRET);
}

/** The package, with stores that append to the server and read from it. All other parts are in memory. */
export function onServer(sillok: Sillok, server: Server): Sillok {
  class OnServer extends sillok.EventStore {
    readonly #remote = sillok.EventStore.connect(server.url, { token: freshToken() });

    // A server returns no positions for a stream, and the tests use none.
    override append<E extends NewEvent>(
      stream: string,
      events: AppendedEvents<E>,
      options?: AppendOptions,
    ) {
      return this.#remote.append<E>(stream, events, options) as Promise<LocalAppendResult>;
    }
    override read<E extends NewEvent>(stream: string, options?: ReadOptions) {
      return this.#remote.read<E>(stream, options) as AsyncGenerator<FeedEvent<E>, void, undefined>;
    }
  }
  return { ...sillok, EventStore: OnServer };
}

/** A server that accepts tokens. */
export function serverWithTokens(): Promise<Server> {
  return startServer({ vars: { SILLOK_SECRET: SECRET } });
}

type Send = (url: string, request: RequestInit) => Promise<Response>;

/**
 * A connection that fails as the test wants. Each request takes the next fault of `faults`, and after the last one the first
 * one again. It finds the server even if a restart has changed its port.
 */
export class Line {
  readonly server: Server;
  readonly faults: readonly ((send: () => Promise<Response>) => Promise<Response>)[];
  /** The requests, in the order of the calls. */
  readonly requests: { method: string; url: URL; headers: Record<string, string> }[] = [];
  /** The token of the name space of all stores over this line. */
  readonly token = freshToken();
  #turn = 0;

  constructor(server: Server, faults: Line["faults"] = [(send) => send()]) {
    this.server = server;
    this.faults = faults;
  }

  readonly fetch: Send = (url, request) => {
    const { pathname, search } = new URL(url);
    const here = new URL(pathname + search, this.server.url);
    const { method = "GET" } = request;
    this.requests.push({ method, url: here, headers: request.headers as Record<string, string> });
    const fault = this.faults[this.#turn % this.faults.length];
    this.#turn += 1;
    const send = () => fetch(here, request);
    return fault === undefined ? send() : fault(send);
  };

  connect(sillok: Sillok, options: ConnectOptions = {}) {
    const defaults = { token: this.token, fetch: this.fetch as ConnectOptions["fetch"] };
    return sillok.EventStore.connect("https://sillok.example", { ...defaults, ...options });
  }
}

export const well: Line["faults"][number] = (send) => send();

/** The request never reaches the server. */
export const before: Line["faults"][number] = () => Promise.reject(new TypeError("fetch failed"));

/** The server carries out the request, and its answer is lost. */
export const after: Line["faults"][number] = async (send) => {
  await (await send()).text();
  throw new TypeError("fetch failed");
};

/** The answer begins, and breaks within its body. */
export const within: Line["faults"][number] = async (send) => cutOff(await send(), 10);

/** The answer of a proxy. */
export const proxy =
  (status: number): Line["faults"][number] =>
  () =>
    Promise.resolve(new Response("<h1>Bad Gateway</h1>", { status }));

/** The same answer, which breaks after this number of bytes. */
export function cutOff(response: Response, bytes: number): Response {
  let left = bytes;
  const reader = response.body?.getReader();
  const source = {
    async pull(controller: ReadableStreamDefaultController<Uint8Array>) {
      const { value } = left > 0 && reader !== undefined ? await reader.read() : {};
      if (value === undefined) controller.error(new TypeError("terminated"));
      else controller.enqueue(value.subarray(0, left));
      left -= value?.length ?? 0;
    },
    cancel: () => reader?.cancel(),
  };
  // Nothing is read ahead, so the reader sees everything before the break.
  const cut = new ReadableStream<Uint8Array>(source, { highWaterMark: 0 });
  const { status, headers } = response;
  return new Response(cut, { status, headers });
}
