// @ts-check
/** Runs the tutorial's program in this page and shows its output. */

import { ownFile } from "./api.js";
import { byId, element } from "./dom.js";
import { showFailure } from "./problem.js";

const PROGRAM = "./tutorial-program.js";

export async function createTutorial() {
  const source = byId("program", HTMLPreElement);
  const run = byId("run", HTMLButtonElement);
  const printed = byId("printed", HTMLOListElement);
  const status = byId("run-status", HTMLParagraphElement);
  const problem = byId("run-problem", HTMLDivElement);

  let runs = 0;
  let running = false;
  run.addEventListener("click", async () => {
    if (running) return;
    running = true;
    runs += 1;
    printed.replaceChildren();
    problem.replaceChildren();
    status.textContent = "Running …";
    try {
      await runProgram(runs, (line) => printed.append(element("li", {}, line)));
      status.textContent = `The program has finished. It printed ${printed.childElementCount} lines.`;
    } catch (error) {
      status.textContent = "";
      showError(problem, error);
    }
    running = false;
  });

  const text = await ownFile(PROGRAM);
  if (text.ok) source.textContent = text.value.trimEnd();
  else showFailure(problem, text.failure);
}

/**
 * Runs the program. A module runs once for each address, so each run uses another address. The
 * output of the program goes to the console and to the page.
 * @param {number} run
 * @param {(line: string) => void} print
 */
async function runProgram(run, print) {
  const log = console.log;
  console.log = (...values) => {
    log.apply(console, values);
    print(values.map(asText).join(" "));
  };
  try {
    await import(`${PROGRAM}?run=${run}`);
  } finally {
    console.log = log;
  }
}

/** @param {unknown} value */
function asText(value) {
  if (typeof value === "string") return value;
  return JSON.stringify(value) ?? String(value);
}

/**
 * @param {HTMLElement} place
 * @param {unknown} error
 */
function showError(place, error) {
  const box = element(
    "div",
    { class: "problem", role: "alert" },
    element("p", { class: "problem-title" }, "The program did not run"),
    element("p", {}, error instanceof Error ? `${error.name}: ${error.message}` : String(error)),
    element("p", {}, "If the page could not load the engine, load the page again."),
  );
  place.replaceChildren(box);
}
