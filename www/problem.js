// @ts-check
/** Shows a failure: the error, its source, and buttons that can help. */

import { element } from "./dom.js";

/** @import { Failure, Problem } from "./wire.js" */

/**
 * Shows a failure in a place of the page. Assistive technology then reads it out.
 * @param {HTMLElement} place
 * @param {Failure} failure
 * @param {...HTMLButtonElement} remedies
 */
export function showFailure(place, failure, ...remedies) {
  const box = element("div", { class: "problem", role: "alert" }, ...describe(failure));
  if (remedies.length > 0) box.append(element("p", { class: "remedies" }, ...remedies));
  place.replaceChildren(box);
}

/** @param {string} detail */
function excerpt(detail) {
  return element("pre", { class: "excerpt" }, detail);
}

/**
 * @param {Failure} failure
 * @returns {Node[]}
 */
function describe(failure) {
  switch (failure.kind) {
    case "problem":
      return describeProblem(failure);
    case "network":
      return [
        element("p", { class: "problem-title" }, "The store did not answer"),
        element("p", {}, failure.message),
      ];
    case "foreign":
      return [
        element("p", { class: "problem-title" }, "The answer did not come from the store"),
        element("p", {}, `Status: ${failure.status}. Content type: ${failure.contentType}.`),
        ...(failure.excerpt === "" ? [] : [excerpt(failure.excerpt)]),
      ];
    case "unsendable":
      return [
        element("p", { class: "problem-title" }, "The browser cannot send this"),
        element("p", {}, `The header ${failure.field} cannot contain these characters.`),
      ];
  }
}

/**
 * @param {Problem} problem
 * @returns {Node[]}
 */
function describeProblem(problem) {
  /** @type {[string, string][]} */
  const facts = [];
  if (problem.field !== "") facts.push(["field", problem.field]);
  if (problem.code === "wrong_expected_version") {
    facts.push(["expected", problem.expected]);
    facts.push(["actual", String(problem.actual)]);
  }
  const nodes = [
    element(
      "p",
      { class: "problem-title" },
      problem.title || "The store refused the request",
      element("code", {}, `${problem.status} ${problem.code}`),
    ),
    element("p", {}, element("bdi", {}, problem.detail)),
  ];
  if (facts.length === 0) return nodes;
  const list = element("dl", { class: "facts" });
  for (const [name, value] of facts) {
    const fact = element("div", {}, element("dt", {}, name), " ", element("dd", {}, value));
    list.append(fact);
  }
  return [...nodes, list];
}
