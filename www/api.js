// @ts-check
/** The HTTP client: the only file of this page that calls `fetch`. */

import { currentToken } from "./token.js";
import { foreign, parseAppended, parseHealth, parsePage, parseProblem } from "./wire.js";

const PAGE_SIZE = 20;
const TIMEOUT_MS = 30_000;

/** @import { Appended, Page, Result } from "./wire.js" */

/**
 * One page of a stream, newest first.
 * @param {string} stream
 * @returns {Promise<Result<Page>>}
 */
export function readNewest(stream) {
  return read(`${eventsPath(stream)}?direction=backward&limit=${PAGE_SIZE}`);
}

/**
 * The page after one that was read.
 * @param {string} next the page's `next`
 * @returns {Promise<Result<Page>>}
 */
export function readNext(next) {
  return read(next);
}

/**
 * @param {string} stream
 * @param {string} body
 * @param {Record<string, string>} condition the header that states the expected version, if any
 * @returns {Promise<Result<Appended>>}
 */
export function append(stream, body, condition) {
  const headers = { "Content-Type": "application/json", ...condition };
  return exchange(eventsPath(stream), { method: "POST", body, headers }, parseAppended);
}

/**
 * The version of the Sillok that answers.
 * @returns {Promise<Result<string>>}
 */
export function health() {
  return exchange("/v1/health", {}, parseHealth);
}

/**
 * The text of a file of this page.
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
 * One request and its answer; `parse` throws when the answer is not what it should be.
 * @template T
 * @param {string} path
 * @param {{ method?: string, body?: string, headers?: Record<string, string> }} init
 * @param {(text: string) => T} parse
 * @returns {Promise<Result<T>>}
 */
async function exchange(path, init, parse) {
  const url = new URL(path, location.href);
  // The token must not follow an address that an answer made up.
  if (url.origin !== location.origin) {
    return { ok: false, failure: { kind: "network", message: `Not this store: ${url.origin}` } };
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
