// @ts-check
/** Reads the answers of the Worker strictly: an answer with the wrong shape throws. */

import { isJson, parts } from "./json-text.js";

const EXCERPT_CHARS = 200;

/**
 * The Worker refused the request and gave the reason (RFC 9457).
 * @typedef {object} Problem
 * @property {"problem"} kind
 * @property {number} status
 * @property {string} code
 * @property {string} title
 * @property {string} detail
 * @property {string} field the wrong field; empty if the Worker names none
 * @property {string} expected the expected version, if the code is `wrong_expected_version`
 * @property {number | null} actual the stream's version, if the code is `wrong_expected_version`
 */
/**
 * No answer came: the browser is offline, or the answer took too long.
 * @typedef {{ kind: "network", message: string }} NoAnswer
 */
/**
 * The answer does not come from Sillok, such as a proxy's error page.
 * @typedef {{ kind: "foreign", status: number, contentType: string, excerpt: string }} Foreign
 */
/**
 * The browser refuses to put this value into a header.
 * @typedef {{ kind: "unsendable", field: string }} Unsendable
 */
/** @typedef {Problem | NoAnswer | Foreign | Unsendable} Failure */
/**
 * @template T
 * @typedef {{ ok: true, value: T } | { ok: false, failure: Failure }} Result
 */
/**
 * An event. `data` and `metadata` are its JSON texts, unchanged.
 * @typedef {object} RecordedEvent
 * @property {number} version
 * @property {string} id
 * @property {string} type
 * @property {string} time
 * @property {string} data
 * @property {string} metadata
 */
/** @typedef {{ version: number, events: RecordedEvent[], next: string | null }} Page */
/** @typedef {{ firstVersion: number, version: number }} Appended */

/**
 * @param {Response} response
 * @param {string} text
 * @returns {Foreign}
 */
export function foreign(response, text) {
  const contentType = response.headers.get("Content-Type") ?? "none";
  const excerpt = text.slice(0, EXCERPT_CHARS);
  return { kind: "foreign", status: response.status, contentType, excerpt };
}

/**
 * @param {Response} response
 * @param {string} text
 * @returns {Problem}
 */
export function parseProblem(response, text) {
  const problem = JSON.parse(text);
  return {
    kind: "problem",
    status: response.status,
    code: string(problem.code),
    title: string(problem.title ?? ""),
    detail: string(problem.detail ?? ""),
    field: string(problem.field ?? ""),
    expected: String(problem.expected ?? ""),
    actual: typeof problem.actual === "number" ? problem.actual : null,
  };
}

/**
 * @param {string} text
 * @returns {Page}
 */
export function parsePage(text) {
  if (!isJson(text)) throw new TypeError("the answer is not JSON");
  const page = membersOf(text);
  const next = JSON.parse(page("next"));
  return {
    version: wholeNumber(JSON.parse(page("version"))),
    events: parts(page("events")).map((part) => parseEvent(part.text)),
    next: next === null ? null : string(next),
  };
}

/**
 * @param {string} text
 * @returns {Appended}
 */
export function parseAppended(text) {
  const { firstVersion, version } = JSON.parse(text);
  return { firstVersion: wholeNumber(firstVersion), version: wholeNumber(version) };
}

/**
 * Reads the store's version of Sillok.
 * @param {string} text
 */
export function parseHealth(text) {
  return string(JSON.parse(text).version);
}

/**
 * @param {string} text
 * @returns {RecordedEvent}
 */
function parseEvent(text) {
  const event = membersOf(text);
  return {
    version: wholeNumber(JSON.parse(event("version"))),
    id: string(JSON.parse(event("id"))),
    type: string(JSON.parse(event("type"))),
    time: string(JSON.parse(event("time"))),
    data: event("data"),
    metadata: event("metadata"),
  };
}

/**
 * @param {string} text an object
 * @returns {(name: string) => string} a member's JSON text
 */
function membersOf(text) {
  const members = new Map(parts(text).map((part) => [part.name, part.text]));
  return (name) => {
    const member = members.get(name);
    if (member === undefined) throw new TypeError(`the answer has no ${name}`);
    return member;
  };
}

/** @param {unknown} value */
function string(value) {
  if (typeof value === "string") return value;
  throw new TypeError("a value in the answer is not a string");
}

/** @param {unknown} value */
function wholeNumber(value) {
  if (typeof value === "number" && Number.isInteger(value)) return value;
  throw new TypeError("a value in the answer is not a whole number");
}
