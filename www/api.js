// @ts-check
/** The HTTP client. No other file of this page calls `fetch`. */

import { currentToken } from "./token.js";
import { foreign, parseAppended, parseHealth, parsePage, parseProblem } from "./wire.js";

const PAGE_SIZE = 20;
const TIMEOUT_MS = 30_000;

/** @import { Appended, Page, Result } from "./wire.js" */

/**
 * Reads the newest events of a stream: one page, newest first.
 * @param {string} stream
 * @returns {Promise<Result<Page>>}
 */
export function readNewest(stream) {
  return read(`${eventsPath(stream)}?direction=backward&limit=${PAGE_SIZE}`);
}

/**
 * Reads the page that follows a page.
 * @param {string} next the `next` of the page that was read
 * @returns {Promise<Result<Page>>}
 */
export function readNext(next) {
  return read(next);
}

/**
 * Appends an event to a stream.
 * @param {string} stream
 * @param {string} body
 * @param {Record<string, string>} condition the header with the expected version; empty for `any`
 * @returns {Promise<Result<Appended>>}
 */
export function append(stream, body, condition) {
  const headers = { "Content-Type": "application/json", ...condition };
  return exchange(eventsPath(stream), { method: "POST", body, headers }, parseAppended);
}

/**
 * Asks the store for its version of Sillok.
 * @returns {Promise<Result<string>>}
 */
export function health() {
  return exchange("/v1/health", {}, parseHealth);
}

/**
 * Loads the text of a file of this page.
 * @param {string} path
 * @returns {Promise<Result<string>>}
 */
export async function ownFile(path) {
  try {
    const response = await fetch(path);
    if (response.ok) return { ok: true, value: await response.text() };
    return { ok: false, failure: foreign(response, "") };
  } catch (error) {
    return { ok: false, failure: { kind: "network", message: String(error) } };
  }
}

/** @param {string} stream */
function eventsPath(stream) {
  return `/v1/streams/${encodeURIComponent(stream)}/events`;
}

/**
 * @param {string} path
 * @returns {Promise<Result<Page>>}
 */
function read(path) {
  return exchange(path, {}, parsePage);
}

/**
 * Sends one request and returns its answer. `parse` throws if the answer has the wrong shape.
 * @template T
 * @param {string} path
 * @param {{ method?: string, body?: string, headers?: Record<string, string> }} init
 * @param {(text: string) => T} parse
 * @returns {Promise<Result<T>>}
 */
async function exchange(path, init, parse) {
  const url = new URL(path, location.href);
  // An answer can contain any address. The token must go to this page's own origin only.
  if (url.origin !== location.origin) {
    const message = `The page did not send the request: ${url.origin} is not this store.`;
    return { ok: false, failure: { kind: "network", message } };
  }
  const headers = new Headers();
  const wanted = { ...init.headers };
  const token = currentToken();
  if (token !== "") wanted["Authorization"] = `Bearer ${token}`;
  for (const [name, value] of Object.entries(wanted)) {
    try {
      headers.set(name, value);
    } catch {
      return { ok: false, failure: { kind: "unsendable", field: name } };
    }
  }

  /** @type {Response} */
  let response;
  let text;
  try {
    const signal = AbortSignal.timeout(TIMEOUT_MS);
    response = await fetch(url, { ...init, headers, signal, cache: "no-store" });
    text = await response.text();
  } catch (error) {
    const message = error instanceof Error ? error.message : String(error);
    return { ok: false, failure: { kind: "network", message } };
  }
  try {
    if (response.ok) return { ok: true, value: parse(text) };
    return { ok: false, failure: parseProblem(response, text) };
  } catch {
    return { ok: false, failure: foreign(response, text) };
  }
}
