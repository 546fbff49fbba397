// @ts-check
/** The shapes that come back from the Worker, read strictly: the wrong shape throws. */

import { isJson, parts } from "./json-text.js";

const EXCERPT_CHARS = 200;

/**
 * The Worker refused, and said why (RFC 9457).
 * @typedef {object} Problem
 * @property {"problem"} kind
 * @property {number} status
 * @property {string} code
 * @property {string} title
 * @property {string} detail
 * @property {string} field what was wrong; empty when the Worker names none
 * @property {string} expected the version asked for, when the code is `wrong_expected_version`
 * @property {number | null} actual the version there is, likewise
 */
/**
 * No answer: offline, or too slow.
 * @typedef {{ kind: "network", message: string }} NoAnswer
 */
/**
 * An answer that is not Sillok's, such as a proxy's error page.
 * @typedef {{ kind: "foreign", status: number, contentType: string, excerpt: string }} Foreign
 */
/**
 * The browser itself will not put this value into a header.
 * @typedef {{ kind: "unsendable", field: string }} Unsendable
 */
/** @typedef {Problem | NoAnswer | Foreign | Unsendable} Failure */
/**
 * @template T
 * @typedef {{ ok: true, value: T } | { ok: false, failure: Failure }} Result
 */
/**
 * `data` and `metadata` are JSON texts, verbatim.
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
  const contentType = response.headers.get("Content-Type") ?? "no content type";
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
  if (!isJson(text)) throw new TypeError("not JSON");
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
 * The version of the Sillok that answered.
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
    if (member === undefined) throw new TypeError(`no ${name}`);
    return member;
  };
}

/** @param {unknown} value */
function string(value) {
  if (typeof value === "string") return value;
  throw new TypeError("not a string");
}

/** @param {unknown} value */
function wholeNumber(value) {
  if (typeof value === "number" && Number.isInteger(value)) return value;
  throw new TypeError("not a whole number");
}
