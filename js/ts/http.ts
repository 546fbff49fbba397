// How a remote store speaks HTTP: what it sends, what it repeats, and what it makes of the answers.

import { Backoff } from "./backoff.js";
import { type Failure, REPEATED, SillokError } from "./errors.js";
import { invalid } from "./invalid.js";
import { checkOptions, type ConnectOptions, type ExpectedVersion } from "./options.js";

const OPTIONS = ["token", "fetch", "retries"] as const satisfies (keyof ConnectOptions)[];
const RETRIES = 4;
const MOST_RETRIES = 100;
/** What a header carries everywhere: visible ASCII, with spaces only inside. */
const TOKEN = /^[!-~](?:[ -~]*[!-~])?$/;
const PROBLEM = "application/problem+json";

/** Names of the server's, by the names that they have here. */
type Names = Readonly<Record<string, string>>;

/** What the server calls by the names of its headers. */
const FIELDS: Names = {
  "If-Match": "expectedVersion",
  "If-None-Match": "expectedVersion",
  "Idempotency-Key": "idempotencyKey",
};

/** A request, and the form of its answer. */
export interface Ask {
  readonly method: "GET" | "POST" | "DELETE";
  /** What follows `/v1/`. */
  readonly path: string;
  readonly headers?: Readonly<Record<string, string>>;
  readonly body?: string;
  /** The status of the answer when all went well, and its type where it has a body. */
  readonly status: number;
  readonly type?: string;
  /** Ends the request, and the pauses between its attempts. */
  readonly signal?: AbortSignal;
  /** The names that the server's parameters have here, where they are others. */
  readonly fields?: Names;
}

/** A server, and how to reach it. */
export class Http {
  /** How often a request is repeated. */
  readonly retries: number;
  readonly #root: string;
  readonly #fetch: (url: string, request: RequestInit) => Promise<Response>;
  readonly #token: ConnectOptions["token"];

  constructor(url: unknown, options: ConnectOptions) {
    this.#root = rootOf(url);
    checkOptions(options, OPTIONS);
    const { token, fetch, retries = RETRIES } = options;
    if (token !== undefined && typeof token !== "function") checkToken(token);
    if (fetch !== undefined && typeof fetch !== "function") {
      throw invalid("fetch", "must be a function");
    }
    if (!Number.isInteger(retries) || retries < 0 || retries > MOST_RETRIES) {
      throw invalid("retries", `must be a whole number from 0 to ${MOST_RETRIES}`);
    }
    this.retries = retries;
    this.#token = token;
    // Looked up when it is used, and called as the function that it is: a browser's takes no other `this`.
    const own = fetch as ((url: string, request: RequestInit) => Promise<Response>) | undefined;
    this.#fetch = own ?? ((...request) => globalThis.fetch(...request));
  }

  /** Asks, and takes the answer by `take`. What fails on the way, in `take` too, is repeated. */
  async ask<T>(
    ask: Ask,
    take: (response: Response) => T | Promise<T>,
    backoff = new Backoff(this.retries),
  ): Promise<T> {
    for (;;) {
      // What a function of the caller's throws is the caller's own error: it is raised as it is.
      const authorization = await this.#authorization(ask.signal);
      try {
        return await take(await this.#answer(ask, authorization));
      } catch (error) {
        const raised = lost(error);
        if (raised.code !== REPEATED.server) throw raised;
        await backoff.wait(raised, ask.signal);
      }
    }
  }

  /** Asks for JSON. */
  json(ask: Ask): Promise<unknown> {
    const type = "application/json";
    const headers = { ...ask.headers, Accept: type };
    return this.ask({ ...ask, headers, type }, async (response) => parse(await response.text()));
  }

  /** What a request is authorized by. A function is asked anew for each, as a token may have expired since. */
  async #authorization(signal: AbortSignal | undefined): Promise<Record<string, string>> {
    if (this.#token === undefined) return {};
    const isGiven = typeof this.#token === "string";
    const token = isGiven ? this.#token : await unlessAborted(this.#token(), signal);
    checkToken(token);
    return { Authorization: `Bearer ${token}` };
  }

  /** The answer, when all went well. */
  async #answer(
    { path, status, type, headers, fields, ...request }: Ask,
    authorization: Record<string, string>,
  ): Promise<Response> {
    const response = await this.#fetch(`${this.#root}/v1/${path}`, {
      ...request,
      headers: { ...authorization, ...headers },
      redirect: "manual",
    });
    const isRight = type === undefined || mediaOf(response) === type;
    if (response.status === status && isRight) return response;
    throw await refusal(response, { ...FIELDS, ...fields });
  }
}

function checkToken(token: unknown): void {
  if (typeof token === "string" && TOKEN.test(token)) return;
  throw invalid("token", "must be a text that a header can carry, or a function that gives one");
}

/** What is promised, unless `signal` is given before. */
function unlessAborted<T>(promised: T | PromiseLike<T>, signal?: AbortSignal): Promise<T> {
  return new Promise((resolve, reject) => {
    const end = () => reject(signal?.reason);
    signal?.addEventListener("abort", end);
    Promise.resolve(promised)
      .then(resolve, reject)
      .finally(() => signal?.removeEventListener("abort", end));
    if (signal?.aborted) end();
  });
}

/** A value that the server sent as JSON. */
export function parse(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch (cause) {
    const detail = "the server's answer is no JSON, as Sillok's would be";
    throw new SillokError({ code: "invalid_answer", detail }, { cause });
  }
}

/** The answer, if it is one of the kind that was asked for. */
export function expected<T>(answer: unknown, field: keyof T & string, type: string): T {
  if (typeof answer === "object" && answer !== null) {
    const found = (answer as Record<string, unknown>)[field];
    if (typeof found === type && found !== null) return answer as T;
  }
  const detail = `the server's answer has no ${field}, as Sillok's would have`;
  throw new SillokError({ code: "invalid_answer", detail });
}

/** The error that is raised for `error`: what is no error of Sillok's was raised by the network. */
export function lost(error: unknown): SillokError {
  if (error instanceof SillokError) return error;
  const reason = error instanceof Error ? error.message : String(error);
  const detail = `the server did not answer: ${reason}`;
  return new SillokError({ code: "unavailable", detail }, { cause: error });
}

function rootOf(url: unknown): string {
  const text = typeof url === "object" && url !== null && "href" in url ? url.href : url;
  const parsed = typeof text === "string" ? parsedUrl(text) : undefined;
  if (parsed === undefined)
    throw invalid("url", "must be an address that begins with https:// or http://");
  const { protocol, username, password, search, hash, origin, pathname } = parsed;
  if (protocol !== "https:" && protocol !== "http:") {
    throw invalid("url", "must begin with https:// or http://");
  }
  if (`${username}${password}${search}${hash}` !== "") {
    throw invalid("url", "must be an address without a user, a query or a fragment");
  }
  return origin + pathname.replace(/\/+$/, "");
}

function parsedUrl(text: string): URL | undefined {
  try {
    return new URL(text);
  } catch {
    return undefined;
  }
}

function mediaOf(response: Response): string {
  const [media = ""] = (response.headers.get("Content-Type") ?? "").split(";");
  return media.trim().toLowerCase();
}

/** What an answer that is not the one hoped for says. */
async function refusal(response: Response, fields: Names): Promise<SillokError> {
  const isProblem = mediaOf(response) === PROBLEM;
  const problem = isProblem ? failureIn(await response.text(), fields) : undefined;
  if (problem !== undefined) return new SillokError(problem);
  // It is not read, and nobody is told of an error in what is not read.
  response.body?.cancel().catch(() => undefined);
  const { status } = response;
  const code = status >= 500 ? "unavailable" : "invalid_answer";
  const place = response.headers.get("Location");
  const hint = place === null ? "" : `; it points to ${place}`;
  const detail = `the server answered with status ${status}, and not as Sillok does${hint}`;
  return new SillokError({ code, detail });
}

/** The failure that a problem document tells of. Of what is not as Sillok has it, nothing is taken over. */
function failureIn(text: string, fields: Names): Failure | undefined {
  const problem = parse(text) as Partial<Failure> | null;
  if (typeof problem?.code !== "string" || typeof problem.detail !== "string") return undefined;
  const { code, detail, field, stream, expected, actual } = problem;
  // JSON is larger than what it says only by little, so this is what a store of one's own says to so much.
  if (code === "body_too_large") {
    return { code: "commit_too_large", detail, field: "events" };
  }
  return {
    code,
    detail,
    ...(typeof field === "string" && { field: nameHere(field, fields) }),
    ...(typeof stream === "string" && { stream }),
    ...(isExpectedVersion(expected) && { expected }),
    ...(typeof actual === "number" && { actual }),
  };
}

/** The name that a field of the server's has here. Names that only every object has are no fields. */
function nameHere(field: string, fields: Names): string {
  return (Object.hasOwn(fields, field) ? fields[field] : undefined) ?? field;
}

function isExpectedVersion(expected: unknown): expected is ExpectedVersion {
  const words: unknown[] = ["any", "no-stream", "stream-exists"];
  return typeof expected === "number" || words.includes(expected);
}
