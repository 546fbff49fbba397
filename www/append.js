// @ts-check
/**
 * The form that appends. It sends what the user typed and checks nothing. So every refusal that it
 * shows comes from the Worker.
 */

import { append } from "./api.js";
import { button, byId, element } from "./dom.js";
import { isJson } from "./json-text.js";
import { showFailure } from "./problem.js";

/** @import { Failure } from "./wire.js" */
/** @typedef {HTMLInputElement | HTMLTextAreaElement | HTMLSelectElement} Control */

/**
 * Returns the body of an append. It contains the data as the user typed them, from the start of
 * line 2. The Worker reports malformed JSON by line and column. So the columns are those of the
 * field.
 * @param {string} type
 * @param {string} data
 */
export function eventBody(type, data) {
  const head = `{"type":${JSON.stringify(type)}`;
  if (/^[ \t\r\n]*$/.test(data)) return `${head}}`;
  const body = `${head},"data":\n${data}}`;
  // Data such as `1,"id":"x"` are not JSON, but they complete the object around them. They cannot
  // complete an array. So the body holds them in an array, and the Worker refuses them.
  if (isJson(body) && !isJson(data)) return `${head},"data":[\n${data}]}`;
  return body;
}

/**
 * Returns the request header with the expected version.
 * @param {string} choice
 * @param {string} exact the version, as the user typed it
 * @returns {Record<string, string>}
 */
export function condition(choice, exact) {
  switch (choice) {
    case "no-stream":
      return { "If-None-Match": "*" };
    case "stream-exists":
      return { "If-Match": "*" };
    case "exactly":
      return { "If-Match": `"${exact.trim()}"` };
    default:
      return {};
  }
}

/**
 * @param {object} hooks
 * @param {() => number} hooks.currentVersion returns the version that was read last
 * @param {(firstVersion: number) => Promise<void>} hooks.appended
 * @param {() => void} hooks.conflicted called when the expected version does not hold
 * @param {(failure: Failure) => void} hooks.refused
 */
export function createAppend(hooks) {
  const section = byId("append", HTMLElement);
  const form = byId("append-form", HTMLFormElement);
  const type = byId("type", HTMLInputElement);
  const data = byId("data", HTMLTextAreaElement);
  const expected = byId("expected", HTMLSelectElement);
  const exact = byId("exact", HTMLInputElement);
  const submit = byId("append-button", HTMLButtonElement);
  const status = byId("append-status", HTMLSpanElement);
  const places = {
    type: byId("type-problem", HTMLDivElement),
    data: byId("data-problem", HTMLDivElement),
    expected: byId("expected-problem", HTMLDivElement),
    form: byId("append-problem", HTMLDivElement),
  };

  let stream = "";
  let sending = false;

  const clear = () => {
    status.textContent = "";
    for (const place of Object.values(places)) place.replaceChildren();
    for (const control of [type, data, expected, exact]) control.removeAttribute("aria-invalid");
  };

  const showExact = () => {
    exact.hidden = expected.value !== "exactly";
    if (!exact.hidden && exact.value === "") exact.value = String(hooks.currentVersion());
  };

  /** @param {number} version */
  const expect = (version) => {
    expected.value = version === 0 ? "no-stream" : "exactly";
    exact.value = version === 0 ? "" : String(version);
    showExact();
    clear();
    const words = version === 0 ? "“no stream yet”" : version;
    status.textContent = `The expected version is now ${words}.`;
    submit.focus();
  };

  /**
   * Finds the control that a failure is about, and the place that shows the failure.
   * @param {Failure} failure
   * @returns {{ place: HTMLElement, control: Control | null }}
   */
  const locate = (failure) => {
    const field = "field" in failure ? failure.field : "";
    const code = failure.kind === "problem" ? failure.code : "";
    if (/^if-(none-)?match$/i.test(field) || code === "wrong_expected_version") {
      return { place: places.expected, control: exact.hidden ? expected : exact };
    }
    if (/(^|\.)type$/.test(field)) return { place: places.type, control: type };
    // This file writes the rest of the body, so only the data can be malformed.
    if (/(^|\.)data\b/.test(field) || code === "malformed_json") {
      return { place: places.data, control: data };
    }
    return { place: places.form, control: null };
  };

  /** @param {Failure} failure */
  const fail = (failure) => {
    const { place, control } = locate(failure);
    control?.setAttribute("aria-invalid", "true");
    if (failure.kind === "problem" && failure.code === "wrong_expected_version") {
      const { actual } = failure;
      hooks.conflicted();
      if (actual !== null) {
        const label = actual === 0 ? "Use “no stream yet”" : `Use version ${actual}`;
        const remedy = button(label, () => expect(actual));
        showFailure(place, failure, remedy);
        remedy.focus();
        return;
      }
    }
    showFailure(place, failure);
    if (failure.kind === "network" || failure.kind === "foreign") {
      const unsure = "The store may have written the event. Refresh before you try again.";
      place.firstElementChild?.append(element("p", {}, unsure));
    }
    if (failure.kind === "problem" && failure.code === "malformed_json") {
      place.firstElementChild?.append(
        element("p", {}, "The data begins on line 2 of the request."),
      );
    }
    control?.focus();
    hooks.refused(failure);
  };

  const send = async () => {
    if (sending) return;
    sending = true;
    clear();
    submit.setAttribute("aria-disabled", "true");
    status.textContent = "Appending …";
    const target = stream;
    const body = eventBody(type.value, data.value);
    const result = await append(target, body, condition(expected.value, exact.value));
    sending = false;
    submit.removeAttribute("aria-disabled");
    status.textContent = "";
    // The user has opened another stream in the meantime. The page must not show this result there.
    if (target !== stream) return;
    if (!result.ok) return fail(result.failure);
    await hooks.appended(result.value.firstVersion);
    status.textContent = `The store appended the event as version ${result.value.version}.`;
  };

  expected.addEventListener("change", showExact);
  form.addEventListener("submit", (event) => {
    event.preventDefault();
    void send();
  });
  data.addEventListener("keydown", (event) => {
    if (event.key === "Enter" && (event.ctrlKey || event.metaKey)) form.requestSubmit();
  });

  return {
    /**
     * Sets the stream to which the form appends. An empty name hides the form.
     * @param {string} name
     */
    open(name) {
      stream = name;
      section.hidden = name === "";
      exact.value = "";
      showExact();
      clear();
    },
  };
}
