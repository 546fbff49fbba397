// HTTP for a remote store: it sends requests, repeats them, and reads the answers.

import { type Failure, REPEATED, SillokError } from "../store/errors.js";
import { invalid } from "../store/invalid.js";
import { MOST_RETRIES, RETRIES } from "../store/limits.js";
import { checkOptions, type ConnectOptions, type ExpectedVersion } from "../store/options.js";
import { Backoff } from "./backoff.js";

const OPTIONS = ["token", "fetch", "retries"] as const satisfies (keyof ConnectOptions)[];
/** A text that every header can carry: visible ASCII, with spaces only inside. */
const TOKEN = /^[!-~](?:[ -~]*[!-~])?$/;
const PROBLEM = "application/problem+json";

/** Names in the package, by the names of the server. */
type Names = Readonly<Record<string, string>>;

/** The fields that the server names by headers. */
const FIELDS: Names = {
  "If-Match": "expectedVersion",
  "If-None-Match": "expectedVersion",
  "Idempotency-Key": "idempotencyKey",
};

/** A request, and the expected form of its answer. */
export interface HttpRequest {
  readonly method: "GET" | "POST" | "DELETE";
  /** The path after `/v1/`. */
  readonly path: string;
  readonly headers?: Readonly<Record<string, string>>;
  readonly body?: string;
  /** The status of a successful answer, and the type of its body, if it has one. */
  readonly status: number;
  readonly type?: string;
  /** Ends the request, and the pauses between its retries. */
  readonly signal?: AbortSignal;
  /** The names in the package for parameters of the server with other names. */
  readonly fields?: Names;
}

/** The connection to a server. */
export class Http {
  /** Most retries of a request. */
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
    // The global `fetch` is looked up at each request, and called without another `this`, which a browser refuses.
    const own = fetch as ((url: string, request: RequestInit) => Promise<Response>) | undefined;
    this.#fetch = own ?? ((...request) => globalThis.fetch(...request));
  }

  /** Sends a request, and passes the answer to `take`. It repeats a request without an answer, also where `take` fails. */
  async send<T>(
    request: HttpRequest,
    take: (response: Response) => T | Promise<T>,
    backoff = new Backoff(this.retries),
  ): Promise<T> {
    for (;;) {
      // An error of the caller's own function reaches the caller unchanged.
      const authorization = await this.#authorization(request.signal);
      try {
        return await take(await this.#answer(request, authorization));
      } catch (error) {
        const raised = unavailable(error);
        if (raised.code !== REPEATED.server) throw raised;
        await backoff.wait(raised, request.signal);
      }
    }
  }

  /** Sends a request for JSON. */
  json(request: HttpRequest, backoff?: Backoff): Promise<unknown> {
    const type = "application/json";
    const headers = { ...request.headers, Accept: type };
    const read = async (response: Response) => parse(await response.text());
    return this.send({ ...request, headers, type }, read, backoff);
  }

  /** The header that authorizes a request. A function is called for each request, because the token may have expired. */
  async #authorization(signal: AbortSignal | undefined): Promise<Record<string, string>> {
    if (this.#token === undefined) return {};
    const isGiven = typeof this.#token === "string";
    const token = isGiven ? this.#token : await unlessAborted(this.#token(), signal);
    checkToken(token);
    return { Authorization: `Bearer ${token}` };
  }

  /** The answer, if the request succeeded. */
  async #answer(
    { path, status, type, headers, fields, ...request }: HttpRequest,
    authorization: Record<string, string>,
  ): Promise<Response> {
    const response = await this.#fetch(`${this.#root}/v1/${path}`, {
      ...request,
      headers: { ...authorization, ...headers },
      redirect: "manual",
    });
    const isRight = type === undefined || mediaOf(response) === type;
    if (response.status === status && isRight) return response;
    throw await errorOf(response, { ...FIELDS, ...fields });
  }
}

function checkToken(token: unknown): void {
  if (typeof token === "string" && TOKEN.test(token)) return;
  throw invalid(
    "token",
    "must be a string that a header can carry, or a function that returns one",
  );
}

/** The result of a promise, unless `signal` is aborted before. */
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

/** Parses JSON of the server. */
export function parse(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch (cause) {
    const detail = "the server's answer must be JSON, as Sillok sends it";
    throw new SillokError({ code: "invalid_answer", detail }, { cause });
  }
}

/** The answer, if it has this field with this type. */
export function checkedAnswer<T>(answer: unknown, field: keyof T & string, type: string): T {
  if (typeof answer === "object" && answer !== null) {
    const found = (answer as Record<string, unknown>)[field];
    if (typeof found === type && found !== null) return answer as T;
  }
  const detail = `the server's answer must have the field ${field}, as Sillok sends it`;
  throw new SillokError({ code: "invalid_answer", detail });
}

/** The error to throw for `error`. Every error that is not a SillokError is an error of the network. */
export function unavailable(error: unknown): SillokError {
  if (error instanceof SillokError) return error;
  const reason = error instanceof Error ? error.message : String(error);
  const detail = `the server did not answer: ${reason}`;
  return new SillokError({ code: "unavailable", detail }, { cause: error });
}

function rootOf(url: unknown): string {
  const text = typeof url === "object" && url !== null && "href" in url ? url.href : url;
  const parsed = typeof text === "string" ? parsedUrl(text) : undefined;
  if (parsed === undefined)
    throw invalid("url", "must be a URL that starts with https:// or http://");
  const { protocol, username, password, search, hash, origin, pathname } = parsed;
  if (protocol !== "https:" && protocol !== "http:") {
    throw invalid("url", "must start with https:// or http://");
  }
  if (`${username}${password}${search}${hash}` !== "") {
    throw invalid("url", "must be a URL without a user, a query or a fragment");
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

/** The error of an unsuccessful answer. */
async function errorOf(response: Response, fields: Names): Promise<SillokError> {
  const isProblem = mediaOf(response) === PROBLEM;
  const problem = isProblem ? failureIn(await response.text(), fields) : undefined;
  if (problem !== undefined) return new SillokError(problem);
  // The body is not read, and so its errors are ignored.
  response.body?.cancel().catch(() => undefined);
  const { status } = response;
  const code = status >= 500 ? "unavailable" : "invalid_answer";
  const place = response.headers.get("Location");
  const hint = place === null ? "" : `; it redirects to ${place}`;
  const detail = `the server answered with status ${status}, but not as Sillok answers${hint}`;
  return new SillokError({ code, detail });
}

/** The failure in a problem document. Fields of another form than in Sillok are left out. */
function failureIn(text: string, fields: Names): Failure | undefined {
  const problem = parse(text) as Partial<Failure> | null;
  if (typeof problem?.code !== "string" || typeof problem.detail !== "string") return undefined;
  const { code, detail, field, stream, expected, actual, rejection, version, replayed } = problem;
  // The body is only slightly larger than its events, so a local store would refuse the same commit by this code.
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
    ...(typeof rejection?.code === "string" && { rejection }),
    ...(typeof version === "number" && { version }),
    ...(typeof replayed === "boolean" && { replayed }),
  };
}

/** The name in the package for a field of the server. It ignores properties that every object inherits. */
function nameHere(field: string, fields: Names): string {
  return (Object.hasOwn(fields, field) ? fields[field] : undefined) ?? field;
}

function isExpectedVersion(expected: unknown): expected is ExpectedVersion {
  const words: unknown[] = ["any", "no-stream", "stream-exists"];
  return typeof expected === "number" || words.includes(expected);
}
